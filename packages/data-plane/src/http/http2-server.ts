import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { type ClientConnection, connectionOf } from "./client-connection.ts";
import { KEEP_ALIVE_TIMEOUT_MS } from "./client-timeouts.ts";
import { Http2Exchange } from "./http2-exchange.ts";
import { readHttp2Head } from "./http2-head.ts";
import type { ListenerOptions } from "./listener.ts";
import { renderError } from "./reply.ts";
import { STALL_LIMIT_MS, StallWatch } from "./stall-watch.ts";

/** Requests under way on one connection (APISIX tls, HTTP versions). */
const MAX_STREAMS = 128;

/** Requests on one connection before it is given up (nginx: keepalive_requests). */
const MAX_REQUESTS = 1_000;

/** Pairs in a head; its size is what counts. */
const MAX_FIELDS = 1_000;

/** Streams that a client may cancel: this many at once, and then so many a second (CVE-2023-44487). */
const CANCEL_BURST = 200;
const CANCELS_PER_SECOND = 50;

/** The highest stream id: a GOAWAY with it says that no new streams should come, and refuses none. */
const LAST_STREAM = 2 ** 31 - 1;

/** How long a client that was told to go may take to confirm it, milliseconds. */
const RETIRE_TIMEOUT_MS = 1_000;

/** Serves HTTP/2 on connections that are given to it. */
export class Http2Server {
  readonly #options: ListenerOptions;
  readonly #watch: StallWatch<Http2Exchange>;
  readonly #sessions = new Set<ServerHttp2Session>();
  #isDraining = false;
  #onEmpty: (() => void) | undefined = undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#watch = new StallWatch({
      clock: options.clock,
      limitMs: options.limits.bodyTimeoutMs ?? STALL_LIMIT_MS,
      onStall: (exchange) => this.#giveUp(exchange, 408),
    });
  }

  /** Requests being answered. */
  get size(): number {
    return this.#watch.size;
  }

  serve(socket: Socket): void {
    const { keepAliveTimeoutMs = KEEP_ALIVE_TIMEOUT_MS } = this.#options.limits;
    const session = performServerHandshake(socket, {
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: 2 * this.#options.maxHeaderBytes },
      maxHeaderListPairs: MAX_FIELDS,
      streamResetBurst: CANCEL_BURST,
      streamResetRate: CANCELS_PER_SECOND,
    });
    const served = { session, connection: connectionOf(socket), requests: 0, open: 0 };
    this.#sessions.add(session);
    session.on("stream", (stream, ...[, , fields]) => this.#take(served, stream, fields));
    // Whatever breaks, `close` follows.
    session.on("error", () => {});
    session.once("close", () => this.#forget(session));
    session.setTimeout(keepAliveTimeoutMs === 0 ? KEEP_ALIVE_TIMEOUT_MS : keepAliveTimeoutMs, () => {
      if (served.open === 0) session.close();
    });
    if (this.#isDraining) this.#retire(session);
  }

  /** Tells every client to go; resolves when the last connection is gone. */
  async close(): Promise<void> {
    this.#isDraining = true;
    for (const session of this.#sessions) this.#retire(session);
    if (this.#sessions.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    this.#watch.stop();
  }

  /** Cuts every connection. */
  destroy(): void {
    for (const session of this.#sessions) session.destroy();
  }

  #forget(session: ServerHttp2Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#onEmpty?.();
  }

  #take(served: ServedSession, stream: ServerHttp2Stream, fields: readonly string[]): void {
    const { handler, limits, maxHeaderBytes } = this.#options;
    const head = readHttp2Head(fields);
    const exchange = new Http2Exchange(stream, head, served.connection);
    const watched = this.#watch.add(exchange);
    served.requests += 1;
    served.open += 1;
    stream.once("close", () => {
      this.#watch.delete(watched);
      served.open -= 1;
      if (served.open === 0 && limits.keepAliveTimeoutMs === 0) served.session.close();
    });
    if (served.requests === MAX_REQUESTS) this.#retire(served.session);
    const refusal = Http2Exchange.refusalOf(head, maxHeaderBytes);
    if (refusal !== undefined) {
      this.#refuse(exchange, refusal);
      return;
    }
    if (limits.maxBodyBytes) exchange.limitBody(limits.maxBodyBytes, () => this.#giveUp(exchange, 413));
    handler.handle(exchange);
  }

  #refuse(exchange: Http2Exchange, status: number): void {
    const { body, headers } = renderError(status);
    const length = String(Buffer.byteLength(body));
    exchange.writeHead(status, "", [...headers.raw, "Content-Length", length, "Server", this.#options.serverHeader]);
    exchange.end(body);
  }

  /** Ends a request that does not arrive as a whole; in the middle of its answer there is nothing left to say. */
  #giveUp(exchange: Http2Exchange, status: number): void {
    if (exchange.isAnswering) exchange.cut();
    else exchange.abandon(status, this.#options.serverHeader);
  }

  /**
   * Asks a client to open no more streams, and closes when it has heard that: what it sent until then is answered, so
   * that no request is lost (RFC 9113 section 6.8).
   */
  #retire(session: ServerHttp2Session): void {
    if (session.closed || session.destroyed) return;
    session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM);
    const close = (): void => {
      clearTimeout(timer);
      if (!session.destroyed) session.close();
    };
    const timer = setTimeout(close, RETIRE_TIMEOUT_MS);
    timer.unref();
    if (!session.ping(close)) close();
  }
}

interface ServedSession {
  readonly session: ServerHttp2Session;
  readonly connection: ClientConnection;
  requests: number;
  open: number;
}
