import { type ClientHttp2Stream, constants } from "node:http2";
import type { AttemptFailure, AttemptOutcome, Exchange, OutgoingRequest, ResponseSink } from "../exchange.ts";
import { InactivityError, InvalidRequestError, RequestBodyError, reasonOf } from "../http/failure.ts";
import { InactivityTimer } from "../http/inactivity-timer.ts";
import type { Http2Endpoint } from "./http2-endpoint.ts";
import { answerFields, requestFields, splitTrailersOnly } from "./http2-fields.ts";
import type { PooledSession } from "./session-pool.ts";
import { type FeedListener, StreamFeed } from "./stream-feed.ts";

/** One request and its answer as a stream of an HTTP/2 connection, both ways at once and with trailers. */
export class Http2Exchange implements Exchange, FeedListener {
  readonly outcome: Promise<AttemptOutcome>;
  #settle!: (outcome: AttemptOutcome) => void;
  readonly #endpoint: Http2Endpoint;
  readonly #request: OutgoingRequest;
  readonly #sink: ResponseSink;
  readonly #timer = new InactivityTimer(() => this.#onInactive());
  #pooled: PooledSession | undefined;
  #stream: ClientHttp2Stream | undefined;
  #feed: StreamFeed | undefined;
  #status = 0;
  #isFed = false;
  #isPaused = false;
  #isDone = false;
  #trailers: readonly string[] = [];

  constructor(endpoint: Http2Endpoint, request: OutgoingRequest, sink: ResponseSink) {
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#endpoint = endpoint;
    this.#request = request;
    this.#sink = sink;
    endpoint.pool
      .acquire(endpoint.target.timeouts.connectMs)
      .then((pooled) => this.#open(pooled))
      .catch((error: unknown) => this.#fail(error));
  }

  cancel(): void {
    this.#finish({ kind: "cancelled" });
  }

  onProgress(bytes: number): void {
    this.#timer.touch();
    this.#request.trace?.onSent(bytes);
  }

  onFed(): void {
    this.#isFed = true;
    this.#timer.arm(this.#endpoint.target.timeouts.readMs);
  }

  onBroken(error: Error): void {
    this.#fail(new RequestBodyError("the client's request body broke off", { cause: error }));
  }

  #open(pooled: PooledSession): void {
    const { pool, target } = this.#endpoint;
    if (this.#isDone) {
      pool.release(pooled);
      return;
    }
    this.#pooled = pooled;
    this.#request.trace?.onConnected();
    const { body } = this.#request;
    const stream = this.#start(pooled, body.kind === "none");
    this.#stream = stream;
    stream.on("response", (_headers, flags, raw: unknown) => this.#onResponse(raw as readonly string[], flags));
    stream.on("trailers", (_headers, _flags, raw?: unknown) => {
      const fields = (raw ?? []) as readonly string[];
      this.#request.trace?.onReceived(sizeOf(fields));
      this.#trailers = answerFields(fields).headers;
    });
    stream.on("data", (chunk: Buffer) => this.#onData(chunk));
    stream.once("end", () => this.#onEnd());
    stream.on("error", (error: Error) => this.#fail(error));
    stream.once("close", () => this.#fail(new Error("the upstream ended the stream")));
    if (body.kind === "bytes") {
      this.#request.trace?.onSent(body.bytes.length);
      stream.end(body.bytes);
    }
    if (body.kind === "stream") {
      this.#timer.arm(target.timeouts.sendMs);
      this.#feed = new StreamFeed(body.stream, stream, this);
    } else this.onFed();
  }

  #start({ session }: PooledSession, isEnd: boolean): ClientHttp2Stream {
    const fields = requestFields(this.#request, this.#endpoint.target.scheme);
    this.#request.trace?.onSent(sizeOf(fields));
    try {
      return session.request(fields, { endStream: isEnd });
    } catch (error) {
      throw new InvalidRequestError("request cannot be sent over HTTP/2", { cause: error });
    }
  }

  #onResponse(raw: readonly string[], flags: number): void {
    if (this.#isDone) return;
    this.#timer.arm(this.#endpoint.target.timeouts.readMs);
    this.#request.trace?.onReceived(sizeOf(raw));
    const { headers, status } = answerFields(raw);
    this.#status = status;
    const isAll = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const split = isAll ? splitTrailersOnly(headers) : { headers, trailers: [] };
    this.#trailers = split.trailers;
    this.#sink.head(status, "", split.headers);
  }

  #onData(chunk: Buffer): void {
    if (this.#isDone) return;
    this.#timer.touch();
    this.#request.trace?.onReceived(chunk.length);
    if (this.#sink.write(chunk) || this.#isPaused) return;
    this.#isPaused = true;
    this.#stream?.pause();
    this.#sink.onDrain(() => {
      this.#isPaused = false;
      this.#timer.touch();
      this.#stream?.resume();
    });
  }

  #onEnd(): void {
    if (this.#isDone || this.#status === 0 || this.#isBrokenOff()) return;
    if (this.#trailers.length > 0) this.#sink.trailers?.(this.#trailers);
    // The place on the connection is free, and the rest of the body unwanted, before the client hears of the end.
    const finished = { kind: "responded", status: this.#status } as const;
    this.#isDone = true;
    this.#tidy(constants.NGHTTP2_NO_ERROR);
    this.#sink.end();
    this.#settle(finished);
  }

  /** Node ends a stream that was reset too; trailers come at a real end only. */
  #isBrokenOff(): boolean {
    return (this.#stream?.rstCode ?? 0) !== constants.NGHTTP2_NO_ERROR && this.#trailers.length === 0;
  }

  #onInactive(): void {
    const isCongested = this.#stream?.writableNeedDrain === true;
    // A client that sends slowly is not the upstream's fault, nor is one that reads slowly.
    if (this.#isPaused || (!this.#isFed && this.#status === 0 && !isCongested)) {
      const { readMs, sendMs } = this.#endpoint.target.timeouts;
      this.#timer.arm(this.#isFed || this.#status !== 0 ? readMs : sendMs);
      return;
    }
    const what = isCongested ? "took" : "sent";
    this.#fail(new InactivityError(`upstream ${this.#endpoint.pool.origin} ${what} no data in time`));
  }

  #fail(cause: unknown): void {
    if (this.#isDone) return;
    const error = cause instanceof Error ? cause : new Error("exchange failed", { cause });
    const failure: AttemptFailure = { reason: reasonOf(error), isUnsent: this.#isUnsent(), cause: error };
    const status = this.#status;
    this.#finish(status === 0 ? { kind: "failed", failure } : { kind: "truncated", failure, status });
  }

  /** A refused stream was not looked at (RFC 9113 section 8.7). */
  #isUnsent(): boolean {
    return this.#stream === undefined || this.#stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
  }

  #finish(outcome: AttemptOutcome): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#tidy(constants.NGHTTP2_CANCEL);
    this.#settle(outcome);
  }

  #tidy(code: number): void {
    this.#timer.stop();
    this.#feed?.detach();
    const { pool } = this.#endpoint;
    if (this.#stream?.closed === false) this.#stream.close(code);
    if (this.#pooled !== undefined) pool.release(this.#pooled);
    this.#pooled = undefined;
  }
}

/** Bytes of names and values; what they are compressed to depends on the requests before. */
function sizeOf(fields: readonly string[]): number {
  return fields.reduce((sum, text) => sum + Buffer.byteLength(text, "latin1"), 0);
}
