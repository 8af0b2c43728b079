import type { ServerHttp2Stream } from "node:http2";
import { Readable } from "node:stream";

/**
 * The client's half of a stream. Whoever reads it may destroy it without ending the answer, which is the other half,
 * and a reader that is slow keeps the client's window closed.
 */
export class Http2Body extends Readable {
  readonly #stream: ServerHttp2Stream;
  #receivedBytes = 0;

  constructor(stream: ServerHttp2Stream) {
    super();
    this.#stream = stream;
    // Whoever reads is told; when nobody does there is nobody to tell.
    this.on("error", () => {});
    stream.on("data", (chunk: Buffer) => {
      this.#receivedBytes += chunk.length;
      if (!this.push(chunk)) stream.pause();
    });
    stream.once("end", () => {
      if (!stream.aborted) this.push(null);
    });
    stream.once("close", () => {
      if (!this.readableEnded && stream.aborted) this.destroy(new Error("the client ended the stream"));
    });
    stream.pause();
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // The rest runs into the void.
    this.#stream.resume();
    done(error);
  }
}
