import { Transform, type TransformCallback } from "node:stream";

/** Passes a body on up to a number of bytes (APISIX: `client_max_body_size`); beyond it the request is given up. */
export class BodyLimit extends Transform {
  readonly #onExceeded: () => void;
  #leftBytes: number;

  constructor(maxBytes: number, onExceeded: () => void) {
    super();
    this.#leftBytes = maxBytes;
    this.#onExceeded = onExceeded;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#leftBytes -= chunk.length;
    if (this.#leftBytes >= 0) done(null, chunk);
    else this.#onExceeded();
  }
}
