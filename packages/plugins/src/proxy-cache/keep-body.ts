import { Transform, type TransformCallback } from "node:stream";

/** Lets a body pass and hands it over whole at its end, unless it is larger than `maxBytes` or breaks off. */
export class KeepBody extends Transform {
  readonly #maxBytes: number;
  readonly #onComplete: (body: Buffer) => void;
  #chunks: Buffer[] | undefined = [];
  #bytes = 0;

  constructor(maxBytes: number, onComplete: (body: Buffer) => void) {
    super();
    this.#maxBytes = maxBytes;
    this.#onComplete = onComplete;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) this.#chunks = undefined;
    this.#chunks?.push(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    if (this.#chunks !== undefined) this.#onComplete(Buffer.concat(this.#chunks));
    done();
  }
}
