import type { Readable, Writable } from "node:stream";

/** What a feed tells. */
export interface FeedListener {
  /** So many bytes were written, or there is room again. */
  onProgress(bytes: number): void;
  /** All of the body is handed over. */
  onFed(): void;
  /** The client's side broke off; nothing more is written. */
  onBroken(error: Error): void;
}

/**
 * Copies a client's body to a stream, at the stream's pace. Unlike a pipe it leaves the source alone when the stream
 * ends early: the client still gets its answer over the same connection.
 */
export class StreamFeed {
  readonly #source: Readable;
  readonly #output: Writable;
  readonly #listener: FeedListener;
  #isDetached = false;

  constructor(source: Readable, output: Writable, listener: FeedListener) {
    this.#source = source;
    this.#output = output;
    this.#listener = listener;
    if (source.readableEnded) this.#onEnd();
    else if (source.destroyed) this.#onClose();
    else {
      source.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onClose).on("error", this.#onError);
      output.on("drain", this.#onDrain);
    }
  }

  /** The rest is read and dropped, else a kept-alive client could never send its next request. */
  detach(): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    const source = this.#source;
    source.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onClose).off("error", this.#onError);
    this.#output.off("drain", this.#onDrain);
    if (source.readableEnded || source.destroyed) return;
    source.on("error", () => undefined);
    source.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#listener.onProgress(chunk.length);
    if (!this.#output.write(chunk)) this.#source.pause();
  };

  readonly #onDrain = (): void => {
    this.#listener.onProgress(0);
    this.#source.resume();
  };

  readonly #onEnd = (): void => {
    this.detach();
    this.#output.end();
    this.#listener.onFed();
  };

  readonly #onClose = (): void => {
    if (!this.#source.readableEnded) this.#onError(new Error("request body closed before its end"));
  };

  readonly #onError = (error: Error): void => {
    this.detach();
    this.#listener.onBroken(error);
  };
}
