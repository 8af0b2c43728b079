import type { Readable } from "node:stream";
import type { OutgoingBody } from "../exchange.ts";
import { RequestBodyError } from "./failure.ts";

/** Where the pieces of a request go. */
export interface BodyOutput {
  /** @returns false when the upstream is slower; {@link BodyPump.resume} is called when there is room again. */
  write(...pieces: readonly (string | Uint8Array)[]): boolean;
  /** All of the request is written. */
  onBodySent(): void;
  /** The client's side failed; nothing more may be written. */
  onBodyFailed(error: Error): void;
}

/** Sends one request: its head together with the first piece of its body, then the rest as it comes. */
export interface BodyPump {
  /** Called once, when there is a connection. */
  start(): void;
  /** There is room again. */
  resume(): void;
  /** The rest is not wanted: it is read and dropped, else a kept-alive client could never send its next request. */
  detach(): void;
}

/** Bodies in memory above this size go out in slices, so that each slice accepted counts as progress. */
const SLICE_BYTES = 64 * 1024;

/** Bodies in memory up to this size go out as one piece with their head. */
const ONE_PIECE_BYTES = 8 * 1024;

/** What belongs to a pump: the head without framing, and where all goes. */
export interface PumpParts {
  readonly head: string;
  readonly output: BodyOutput;
}

/** Makes the pump of a body; nothing for a request whose head is all. */
export function createBodyPump(body: OutgoingBody, parts: PumpParts): BodyPump | undefined {
  if (body.kind === "none") return undefined;
  if (body.kind === "stream") return new StreamPump(body.stream, body.lengthBytes, parts);
  return body.bytes.length === 0 ? undefined : new BytesPump(body.bytes, parts);
}

class BytesPump implements BodyPump {
  readonly #bytes: Uint8Array;
  readonly #parts: PumpParts;
  #sent = 0;

  constructor(bytes: Uint8Array, parts: PumpParts) {
    this.#bytes = bytes;
    this.#parts = parts;
  }

  start(): void {
    const { head, output } = this.#parts;
    const bytes = this.#bytes;
    const framed = `${head}content-length: ${bytes.length}\r\n\r\n`;
    if (bytes.length <= ONE_PIECE_BYTES) {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
      this.#sent = bytes.length;
      output.write(framed + text);
      output.onBodySent();
      return;
    }
    if (output.write(framed, this.#nextSlice())) this.resume();
    else this.#endIfSent();
  }

  resume(): void {
    const { output } = this.#parts;
    while (this.#sent < this.#bytes.length) if (!output.write(this.#nextSlice())) break;
    this.#endIfSent();
  }

  detach(): void {
    this.#sent = this.#bytes.length;
  }

  #nextSlice(): Uint8Array {
    const from = this.#sent;
    this.#sent = Math.min(from + SLICE_BYTES, this.#bytes.length);
    return this.#bytes.subarray(from, this.#sent);
  }

  #endIfSent(): void {
    if (this.#sent === this.#bytes.length) this.#parts.output.onBodySent();
  }
}

/** A stream is not touched before there is a connection, and never destroyed: the client still gets its answer. */
class StreamPump implements BodyPump {
  readonly #stream: Readable;
  readonly #lengthBytes: number | undefined;
  readonly #parts: PumpParts;
  #sentBytes = 0;
  #isHeadSent = false;
  #isAttached = false;
  #isPaused = false;

  constructor(stream: Readable, lengthBytes: number | undefined, parts: PumpParts) {
    this.#stream = stream;
    this.#lengthBytes = lengthBytes;
    this.#parts = parts;
  }

  start(): void {
    const stream = this.#stream;
    if (stream.readableEnded) this.#onEnd();
    else if (stream.destroyed) this.#onClose();
    else {
      this.#isAttached = true;
      stream.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onClose).on("error", this.#onError);
    }
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#stream.resume();
  }

  detach(): void {
    if (!this.#isAttached) return;
    this.#isAttached = false;
    const stream = this.#stream;
    stream.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onClose).off("error", this.#onError);
    if (stream.readableEnded || stream.destroyed) return;
    stream.on("error", () => undefined);
    stream.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (chunk.length === 0) return;
    this.#sentBytes += chunk.length;
    if (this.#lengthBytes !== undefined && this.#sentBytes > this.#lengthBytes) {
      this.#fail(new RequestBodyError(`request body exceeds its ${this.#lengthBytes} bytes`));
      return;
    }
    const opening = this.#isHeadSent ? "" : this.#takeHead();
    const { output } = this.#parts;
    const hasRoom =
      this.#lengthBytes === undefined
        ? output.write(`${opening}${chunk.length.toString(16)}\r\n`, chunk, "\r\n")
        : output.write(opening, chunk);
    if (hasRoom) return;
    this.#isPaused = true;
    this.#stream.pause();
  };

  readonly #onEnd = (): void => {
    if (this.#lengthBytes !== undefined && this.#sentBytes < this.#lengthBytes) {
      this.#fail(new RequestBodyError(`request body ended after ${this.#sentBytes} of ${this.#lengthBytes} bytes`));
      return;
    }
    const { head, output } = this.#parts;
    // An empty body of unknown length turns out to have one.
    if (!this.#isHeadSent) output.write(`${head}content-length: 0\r\n\r\n`);
    else if (this.#lengthBytes === undefined) output.write("0\r\n\r\n");
    this.detach();
    output.onBodySent();
  };

  readonly #onClose = (): void => {
    if (!this.#stream.readableEnded) this.#onError(new Error("request body closed before its end"));
  };

  readonly #onError = (error: Error): void => {
    this.#fail(new RequestBodyError("the client's request body broke off", { cause: error }));
  };

  #takeHead(): string {
    this.#isHeadSent = true;
    const framing =
      this.#lengthBytes === undefined ? "transfer-encoding: chunked" : `content-length: ${this.#lengthBytes}`;
    return `${this.#parts.head}${framing}\r\n\r\n`;
  }

  #fail(error: Error): void {
    this.detach();
    this.#parts.output.onBodyFailed(error);
  }
}
