import { constants, type ServerHttp2Stream } from "node:http2";
import { pipeline, type Readable } from "node:stream";
import { http } from "@fngate/kernel";
import type { RequestTraffic } from "@fngate/plugin-kit";
import { hasBody } from "./answer-headers.ts";
import { BodyLimit } from "./body-limit.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { ClientExchange } from "./client-exchange.ts";
import { Http2Body } from "./http2-body.ts";
import type { Http2Head } from "./http2-head.ts";
import { renderError } from "./reply.ts";
import type { ExchangeProgress } from "./stall-watch.ts";

const KNOWN_METHODS: ReadonlySet<string> = new Set(http.METHODS);

/** Fields of HTTP/1 connections (RFC 9113 section 8.2.2). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** What a request line of HTTP/1 could hold. */
const TARGET = /^[!-~\x80-\xff]+$/;

/** One stream of an HTTP/2 connection. */
export class Http2Exchange implements ClientExchange {
  readonly method: string;
  readonly target: string;
  readonly httpVersion = "2.0";
  readonly scheme: "http" | "https";
  readonly rawHeaders: readonly string[];
  readonly peerAddress: string;
  readonly localPort: number;
  readonly connection: ClientConnection;
  readonly hasBody: boolean;
  readonly declaredBytes: number | undefined;
  readonly upgrade = undefined;
  readonly #stream: ServerHttp2Stream;
  #body: Http2Body | undefined = undefined;
  #limited: BodyLimit | undefined = undefined;
  #isContinueOwed: boolean;
  #isBodyless = false;
  #isAbandoned = false;
  #endStatus: number | undefined = undefined;
  #sentBytes = 0;
  readonly #headBytes: number;
  #sentHeadBytes = 0;
  /** A head that may turn out to be all there is of the answer. */
  #heldHead: string[] | undefined = undefined;
  #trailers: readonly string[] | undefined = undefined;

  constructor(stream: ServerHttp2Stream, head: Http2Head, connection: ClientConnection) {
    this.#stream = stream;
    this.method = head.method;
    this.target = head.target;
    this.rawHeaders = head.rawHeaders;
    this.#headBytes = head.sizeBytes;
    this.connection = connection;
    this.scheme = connection.tls === undefined ? "http" : "https";
    this.peerAddress = connection.peerAddress;
    this.localPort = connection.localPort;
    const declared = fieldOf(head.rawHeaders, "content-length");
    this.declaredBytes = declared === undefined ? undefined : Number(declared);
    this.hasBody = !stream.endAfterHeaders && this.declaredBytes !== 0;
    this.#isContinueOwed = this.hasBody && fieldOf(head.rawHeaders, "expect")?.toLowerCase() === "100-continue";
    // A write that comes too late must not end the process; `close` tells what there is to know.
    stream.on("error", () => {});
    stream.once("finish", () => this.#finishReading());
  }

  /** Status for a head that cannot be served as it is. */
  static refusalOf(head: Http2Head, maxHeaderBytes: number): number | undefined {
    if (head.method === "CONNECT") return 405;
    const isSound = !head.isAmbiguous && KNOWN_METHODS.has(head.method) && TARGET.test(head.target);
    return isSound && head.sizeBytes <= maxHeaderBytes ? undefined : 400;
  }

  get isOpen(): boolean {
    return !this.#stream.destroyed && !this.#isAbandoned;
  }

  get endStatus(): number | undefined {
    return this.#endStatus;
  }

  /** Whether part of the answer is out already. */
  get isAnswering(): boolean {
    return this.#stream.headersSent;
  }

  /** The stream's traffic so far and whether somebody waits: what the stall watch compares. */
  get progress(): ExchangeProgress {
    const stream = this.#stream;
    const isReading = this.#body !== undefined && !stream.readableEnded && !stream.isPaused() && !this.#isContinueOwed;
    return {
      receivedBytes: this.#body?.receivedBytes ?? 0,
      sentBytes: this.#sentBytes - stream.writableLength,
      isAwaitingClient: isReading || stream.writableLength > 0,
    };
  }

  /** Names, values and bodies: how short the library writes a head is not known. Its own `date` is left out. */
  takeTraffic(): RequestTraffic {
    const receivedBytes = this.#headBytes + (this.#body?.receivedBytes ?? 0);
    return { receivedBytes, sentBytes: this.#sentHeadBytes + this.#sentBytes };
  }

  /** Bounds a body whose length nobody declared; before it is opened. */
  limitBody(maxBytes: number, onExceeded: () => void): void {
    if (this.hasBody && this.declaredBytes === undefined) this.#limited = new BodyLimit(maxBytes, onExceeded);
  }

  openBody(): Readable {
    if (this.#isContinueOwed) {
      this.#isContinueOwed = false;
      if (!this.#stream.headersSent && !this.#stream.destroyed) this.#stream.additionalHeaders({ ":status": 100 });
    }
    if (this.#body === undefined) {
      this.#body = new Http2Body(this.#stream);
      if (this.#limited !== undefined) pipeline(this.#body, this.#limited, () => {});
    }
    return this.#limited ?? this.#body;
  }

  writeHead(status: number, _reason: string, headers: readonly string[]): void {
    if (this.#isAbandoned) return;
    this.#isBodyless = !hasBody(status, this.method);
    const fields = answerHead(status, headers);
    // A client that is gone takes nothing more.
    if (this.#stream.destroyed) return;
    if (!this.#isBodyless && fieldOf(fields, "grpc-status") !== undefined) this.#heldHead = fields;
    else this.#respond(fields, this.#isBodyless);
  }

  /** Sets flat fields to be sent after the body; before {@link Http2Exchange.end}. */
  trailers(fields: readonly string[]): void {
    this.#trailers = fields;
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#isBodyless || this.#isAbandoned) return true;
    this.#releaseHead(false);
    this.#count(chunk);
    return this.#stream.write(chunk);
  }

  onDrain(resume: () => void): void {
    this.#stream.once("drain", resume);
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#isBodyless || this.#isAbandoned) return;
    this.#releaseHead(chunk === undefined && this.#trailers === undefined);
    if (this.#isBodyless) return;
    if (chunk !== undefined) this.#count(chunk);
    this.#stream.end(chunk);
  }

  cut(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  /** Answers in place of whoever handles the request, who is told that the client is gone; before an answer began. */
  abandon(status: number, serverHeader: string): void {
    const { body, headers } = renderError(status);
    const length = String(Buffer.byteLength(body));
    this.#endStatus = status;
    this.writeHead(status, "", [...headers.raw, "Content-Length", length, "Server", serverHeader]);
    this.end(body);
    this.#isAbandoned = true;
    this.#onAbandoned?.(false);
  }

  #onAbandoned: ((isComplete: boolean) => void) | undefined = undefined;

  onClose(listener: (isComplete: boolean) => void): void {
    const stream = this.#stream;
    this.#onAbandoned = listener;
    stream.once("close", () => {
      if (this.#isAbandoned) return;
      listener(stream.writableFinished && (stream.rstCode ?? 0) === constants.NGHTTP2_NO_ERROR);
    });
  }

  /**
   * gRPC tells an error in the head of an answer without body, and its clients want the stream to end with that head.
   * Such heads are of plugins' replies and of HTTP/1 upstreams; what HTTP/2 upstreams say so arrives as trailers.
   */
  #releaseHead(isAll: boolean): void {
    const fields = this.#heldHead;
    if (fields === undefined) return;
    this.#heldHead = undefined;
    this.#isBodyless = isAll;
    if (!this.#stream.destroyed) this.#respond(fields, isAll);
  }

  #respond(fields: string[], isEnd: boolean): void {
    for (const text of fields) this.#sentHeadBytes += text.length;
    const waitForTrailers = !isEnd && mayHaveTrailers(fields);
    if (waitForTrailers) this.#stream.once("wantTrailers", () => this.#sendTrailers());
    try {
      this.#stream.respond(fields, { endStream: isEnd, waitForTrailers });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ERR_HTTP2_HEADER_SINGLE_VALUE")) throw error;
      // Answers of HTTP/1 may say such a thing twice; the first one counts.
      this.#stream.respond(withoutRepeats(fields), { endStream: isEnd, waitForTrailers });
    }
  }

  #sendTrailers(): void {
    const trailers: Record<string, string> = {};
    const fields = this.#trailers ?? [];
    for (let index = 0; index < fields.length; index += 2)
      trailers[fields[index] as string] = fields[index + 1] as string;
    this.#stream.sendTrailers(trailers);
  }

  #count(chunk: Uint8Array | string): void {
    this.#sentBytes += typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.length;
  }

  /** The answer is out: what is left of the client's body is not wanted (RFC 9113 section 8.1). */
  #finishReading(): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    if (stream.readableEnded || stream.endAfterHeaders) return;
    stream.resume();
    stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

function fieldOf(fields: readonly string[], name: string): string | undefined {
  for (let index = 0; index < fields.length; index += 2) if (fields[index] === name) return fields[index + 1];
  return undefined;
}

/** Waiting for fields that never come costs a frame: only answers that announce some, and gRPC's, wait. */
function mayHaveTrailers(fields: readonly string[]): boolean {
  const type = fieldOf(fields, "content-type");
  return type?.startsWith("application/grpc") === true || fieldOf(fields, "trailer") !== undefined;
}

/** An answer's head: lower-case names, nothing of a connection. Throws when a value cannot be sent. */
function answerHead(status: number, headers: readonly string[]): string[] {
  const fields = [":status", String(status)];
  for (let index = 0; index < headers.length; index += 2) {
    const name = (headers[index] as string).toLowerCase();
    const value = headers[index + 1] as string;
    if (CONNECTION_FIELDS.has(name)) continue;
    // The library would leave such a field out without a word.
    http.validateHeaderValue(name, value);
    fields.push(name, value);
  }
  return fields;
}

function withoutRepeats(fields: readonly string[]): string[] {
  const seen = new Set<string>();
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string;
    if (seen.has(name) && name !== "set-cookie") continue;
    seen.add(name);
    kept.push(name, fields[index + 1] as string);
  }
  return kept;
}
