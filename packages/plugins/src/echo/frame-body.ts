import { Transform, type TransformCallback } from "node:stream";

/** The texts around a body, and in place of it. */
export interface BodyFrame {
  readonly before: string;
  /** Absent: the body stays. */
  readonly body: string | undefined;
  readonly after: string;
}

/** Puts texts around a body that streams through, or in place of it. */
export class FrameBody extends Transform {
  readonly #frame: BodyFrame;
  #isStarted = false;

  constructor(frame: BodyFrame) {
    super();
    this.#frame = frame;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#start();
    if (this.#frame.body === undefined) this.push(chunk);
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#start();
    if (this.#frame.after !== "") this.push(this.#frame.after);
    done();
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const { before, body = "" } = this.#frame;
    if (before !== "" || body !== "") this.push(before + body);
  }
}
