import { Readable } from "node:stream";
import type { OutgoingBody } from "../exchange.ts";

/** Bodies in memory above this size go out in slices, so that each slice accepted counts as progress. */
const SLICE_THRESHOLD_BYTES = 128 * 1024;
const SLICE_BYTES = 64 * 1024;

/** What undici is given as body. */
export type WireBody = Uint8Array | RequestBody | null;

/** Turns an {@link OutgoingBody} into what undici sends. */
export function wireBodyOf(body: OutgoingBody): WireBody {
  if (body.kind === "none") return null;
  if (body.kind === "stream") return new RequestBody(new StreamSource(body.stream));
  if (body.bytes.length <= SLICE_THRESHOLD_BYTES) return body.bytes;
  return new RequestBody(new BytesSource(body.bytes));
}

interface BodySource {
  /** Brings data to `body` until told to pause. */
  resume(body: RequestBody): void;
  /** No more data is wanted; `body` is destroyed or ended. */
  detach(): void;
}

/**
 * A stream between the client's request and undici, which destroys the body it is given when the answer comes
 * early or the upstream fails: destroying the client's own request would cut the client before it gets its answer.
 *
 * The source is not touched before undici first reads, that is before the request is written to a socket.
 */
export class RequestBody extends Readable {
  /** Why the client's side broke off; absent when it did not. */
  sourceError: Error | undefined;
  readonly #source: BodySource;

  constructor(source: BodySource) {
    super();
    this.#source = source;
    // undici takes its listeners off before it destroys the stream.
    this.on("error", () => undefined);
  }

  override _read(): void {
    this.#source.resume(this);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#source.detach();
    callback(error);
  }

  /** The client's side broke off. */
  breakOff(error: Error): void {
    this.sourceError = error;
    this.destroy(error);
  }
}

class StreamSource implements BodySource {
  readonly #stream: Readable;
  #body: RequestBody | undefined;

  constructor(stream: Readable) {
    this.#stream = stream;
  }

  resume(body: RequestBody): void {
    if (this.#body === undefined) this.#attach(body);
    else this.#stream.resume();
  }

  detach(): void {
    if (this.#body === undefined) return;
    const stream = this.#stream;
    stream.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onClose).off("error", this.#onError);
    if (stream.readableEnded || stream.destroyed) return;
    stream.on("error", () => undefined);
    // The rest is read and dropped, else a kept-alive client could never send its next request.
    stream.resume();
  }

  #attach(body: RequestBody): void {
    this.#body = body;
    const stream = this.#stream;
    if (stream.readableEnded) body.push(null);
    else if (stream.destroyed) body.breakOff(stream.errored ?? new Error("request body closed before its end"));
    else stream.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onClose).on("error", this.#onError);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#body?.push(chunk) === false) this.#stream.pause();
  };

  readonly #onEnd = (): void => {
    this.#body?.push(null);
  };

  readonly #onClose = (): void => {
    if (!this.#stream.readableEnded) this.#body?.breakOff(new Error("request body closed before its end"));
  };

  readonly #onError = (error: Error): void => {
    this.#body?.breakOff(error);
  };
}

class BytesSource implements BodySource {
  readonly #bytes: Uint8Array;
  #sent = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  resume(body: RequestBody): void {
    const next = Math.min(this.#sent + SLICE_BYTES, this.#bytes.length);
    const slice = this.#bytes.subarray(this.#sent, next);
    this.#sent = next;
    body.push(slice.length === 0 ? null : slice);
  }

  detach(): void {
    this.#sent = this.#bytes.length;
  }
}
