import { Transform, type TransformCallback } from "node:stream";

/** Drops a body and sends another one in its place. */
export class ReplaceBody extends Transform {
  readonly #body: Uint8Array;
  #isSent = false;

  constructor(body: Uint8Array) {
    super();
    this.#body = body;
  }

  override _transform(_chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#send();
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#send();
    done();
  }

  #send(): void {
    if (this.#isSent) return;
    this.#isSent = true;
    if (this.#body.length > 0) this.push(this.#body);
  }
}
