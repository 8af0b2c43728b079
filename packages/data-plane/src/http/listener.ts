import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Clock, GatewayError, http, type Logger } from "@fngate/kernel";
import type { ClientLimits, ListenAddress, Transport } from "../options.ts";
import type { SnapshotCell } from "../snapshot-cell.ts";
import { connectionOf } from "./client-connection.ts";
import { HEADERS_TIMEOUT_MS, KEEP_ALIVE_TIMEOUT_MS } from "./client-timeouts.ts";
import { ConnectionOpener } from "./connection-opener.ts";
import { endWith } from "./end-with.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { Http2Server } from "./http2-server.ts";
import { renderRawError } from "./reply.ts";
import type { RequestHandler } from "./request-handler.ts";
import type { TicketedTlsSettings } from "./session-tickets.ts";
import { STALL_LIMIT_MS, StallWatch } from "./stall-watch.ts";
import { TlsFront } from "./tls-front.ts";
import { UpgradeExchange, type UpgradeParts } from "./upgrade-exchange.ts";

export interface ListenerOptions {
  readonly handler: RequestHandler;
  readonly serverHeader: string;
  readonly clock: Clock;
  readonly maxHeaderBytes: number;
  readonly limits: ClientLimits;
  readonly logger: Logger;
  readonly cell: SnapshotCell;
  readonly transport: Transport;
  readonly tls: TicketedTlsSettings;
}

/** How often heads are looked at; Node's default. */
const HEADERS_CHECK_INTERVAL_MS = 30_000;

/**
 * How long a client that has just connected may take to send its request while the listener closes: cut off at once, it
 * would get a reset for a request that is on its way.
 */
const FIRST_REQUEST_GRACE_MS = 1_000;

/** A port of the traffic: HTTP/1.1, and what its transport adds. */
export class HttpListener {
  readonly #server: Server;
  readonly #watch: StallWatch<Http1Exchange>;
  readonly #options: ListenerOptions;
  readonly #counts = { accepted: 0 };
  readonly #sockets = new Set<Socket>();
  /** Connections that Node has let go of. */
  readonly #upgraded = new Set<Duplex>();
  /** Absent on a port that speaks HTTP/1.1 in the clear and nothing else. */
  readonly #opener: ConnectionOpener | undefined;
  readonly #http2: Http2Server | undefined;
  #isDraining = false;
  #onLastExchange: (() => void) | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { bodyTimeoutMs = STALL_LIMIT_MS, headerTimeoutMs = HEADERS_TIMEOUT_MS } = options.limits;
    const { keepAliveTimeoutMs = KEEP_ALIVE_TIMEOUT_MS } = options.limits;
    this.#watch = new StallWatch({
      clock: options.clock,
      limitMs: bodyTimeoutMs,
      onStall: (exchange) => this.#giveUp(exchange, 408),
    });
    this.#server = http.createServer({
      keepAliveTimeout: keepAliveTimeoutMs,
      headersTimeout: headerTimeoutMs,
      connectionsCheckingInterval: Math.min(HEADERS_CHECK_INTERVAL_MS, headerTimeoutMs),
      // A slow upload that still moves is fine; one that does not is the stall watch's.
      requestTimeout: 0,
      maxHeaderSize: options.maxHeaderBytes,
      // Admission answers these, with the gateway's own error.
      requireHostHeader: false,
      // A request without a body gets no body stream to run dry: a tenth of what a request costs Node.
      optimizeEmptyRequests: true,
      shouldUpgradeCallback: (request) => this.#mayUpgrade(request),
    });
    // Node drops fields beyond this number without a word; the size of a head is bounded already.
    this.#server.maxHeadersCount = 0;
    this.#http2 = options.transport.isHttp2Enabled === true ? new Http2Server(options) : undefined;
    this.#opener = this.#createOpener();
    this.#server.on("connection", (socket) => {
      this.#counts.accepted += 1;
      // Its age counts from now on.
      connectionOf(socket);
      if (this.#opener === undefined) this.#track(socket);
      else this.#opener.open(socket);
    });
    this.#server.on("request", (request, response) => this.#accept(request, response, false));
    this.#server.on("checkContinue", (request, response) => this.#accept(request, response, true));
    this.#server.on("checkExpectation", (request, response) => this.#accept(request, response, false));
    this.#server.on("connect", (_request: IncomingMessage, socket: Duplex) => this.#refuse(socket, 405));
    this.#server.on("clientError", (error: ClientError, socket) => this.#onClientError(error, socket));
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade({ request, socket, head }));
  }

  /** Binds; raises `LISTEN_FAILED`. Resolves to the real address. */
  async listen(address: ListenAddress): Promise<ListenAddress> {
    return listenOn(this.#server, address);
  }

  /** Connections accepted so far, requests being answered, and open connections. */
  async connections(): Promise<{ readonly accepted: number; readonly active: number; readonly open: number }> {
    const open = await new Promise<number>((resolve) => {
      this.#server.getConnections((_error, count) => resolve(count ?? 0));
    });
    const active = this.#watch.size + (this.#http2?.size ?? 0);
    return { accepted: this.#counts.accepted, active, open };
  }

  /** Stops accepting; answers say `Connection: close` from here on. Resolves when no connection is left. */
  close(): Promise<void> {
    this.#isDraining = true;
    for (const exchange of this.#watch.exchanges()) exchange.closeAfterAnswer();
    const lastExchange = this.#lastExchange();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    const grace = setTimeout(() => this.#closeSilent(), FIRST_REQUEST_GRACE_MS);
    // The server closes a moment before the exchanges of destroyed sockets end, and those still log.
    return Promise.all([closed, lastExchange, this.#http2?.close()]).then(() => {
      clearTimeout(grace);
      this.#watch.stop();
    });
  }

  /** Node counts a connection on which nothing was asked yet as busy, and would wait for its client. */
  #closeSilent(): void {
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
    this.#opener?.destroyOpening();
  }

  /** Cuts every connection. */
  destroy(): void {
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
    this.#http2?.destroy();
    this.#opener?.destroyOpening();
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  /** Takes the connections off Node's own listener, which gets back those that turn out to speak HTTP/1. */
  #createOpener(): ConnectionOpener | undefined {
    const { cell, limits, logger, serverHeader, tls: settings, transport } = this.#options;
    const { isHttp2Enabled = false, isProxied = false, isTls = false } = transport;
    if (!(isHttp2Enabled || isProxied || isTls)) return undefined;
    const serveHttp1 = this.#server.listeners("connection")[0] as (this: Server, socket: Socket) => void;
    this.#server.removeAllListeners("connection");
    const timeoutMs = limits.headerTimeoutMs ?? HEADERS_TIMEOUT_MS;
    const alpn = isHttp2Enabled ? ["h2", "http/1.1", "http/1.0"] : ["http/1.1", "http/1.0"];
    return new ConnectionOpener({
      servers: {
        http1: (socket) => {
          this.#track(socket);
          // Node tells what goes wrong on a connection to the server that made it, which for TLS is another one.
          Reflect.set(socket, "server", this.#server);
          serveHttp1.call(this.#server, socket);
        },
        http2: this.#http2 && ((socket) => this.#http2?.serve(socket)),
      },
      isProxied,
      timeoutMs,
      serverHeader,
      tls: isTls ? new TlsFront({ cell, settings, alpn, handshakeTimeoutMs: timeoutMs, logger }) : undefined,
    });
  }

  async #lastExchange(): Promise<void> {
    if (this.#watch.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onLastExchange = resolve;
    });
  }

  /**
   * Takes a request up when the answers before it on its connection have ended, as nginx does. Node parses ahead; a
   * response that has no socket yet is one that waits.
   */
  #accept(request: IncomingMessage, response: ServerResponse, isContinueOwed: boolean): void {
    // What a refused client goes on to send is read, for its own sake, and not answered.
    if (!request.socket.writable) return;
    if (response.socket === null) {
      waitForTurn(request, response, () => {
        const exchange = new Http1Exchange(request, response, isContinueOwed);
        exchange.isPipelined = true;
        this.#take(exchange, response);
      });
    } else this.#take(new Http1Exchange(request, response, isContinueOwed), response);
  }

  #take(exchange: Http1Exchange, response: ServerResponse): void {
    const { keepAliveTimeoutMs, maxBodyBytes } = this.#options.limits;
    // 0 means no limit to Node and no keep-alive to nginx.
    if (this.#isDraining || keepAliveTimeoutMs === 0) exchange.closeAfterAnswer();
    if (maxBodyBytes) exchange.limitBody(maxBodyBytes, () => this.#giveUp(exchange, 413));
    const watched = this.#watch.add(exchange);
    // `on`, not `once`: it comes once anyway, and taking a listener off again costs more than putting it on.
    response.on("close", () => {
      this.#watch.delete(watched);
      if (this.#isDraining) this.#server.closeIdleConnections();
      if (this.#watch.size === 0) this.#onLastExchange?.();
    });
    this.#options.handler.handle(exchange);
  }

  #upgrade(parts: UpgradeParts): void {
    this.#upgraded.add(parts.socket);
    parts.socket.once("close", () => this.#upgraded.delete(parts.socket));
    this.#options.handler.handle(new UpgradeExchange(parts));
  }

  #mayUpgrade(request: IncomingMessage): boolean {
    if (this.#isDraining) return false;
    if (request.method !== "GET" || request.headers.upgrade?.toLowerCase() !== "websocket") return false;
    // The connection belongs to the answer before; the request is served without its upgrade after that.
    if (waitersOf(request.socket) > 0 || this.#exchangeOn(request.socket) !== undefined) return false;
    const exchange = new Http1Exchange(request, new http.ServerResponse(request), false);
    return !exchange.hasBody && this.#options.handler.mayUpgrade(exchange);
  }

  /** What Node's parser refuses (APISIX routing, listener checks). */
  #onClientError(error: ClientError, socket: Duplex): void {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const isLineTooLong = error.code === "HPE_HEADER_OVERFLOW" && error.rawPacket?.includes("\n") !== true;
    this.#refuse(socket, isLineTooLong ? 414 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400);
  }

  /** An error page goes out only where nobody can take it for the answer to an earlier request, or a part of one. */
  #refuse(socket: Duplex, status: number): void {
    const exchange = this.#exchangeOn(socket);
    if (exchange === undefined) endWith(socket, renderRawError(status, this.#options.serverHeader));
    else if (exchange.hasWholeRequest) exchange.closeAfterAnswer();
    else this.#giveUp(exchange, status);
  }

  /** Ends a request that does not arrive as a whole; in the middle of its answer there is nothing left to say. */
  #giveUp(exchange: Http1Exchange, status: number): void {
    if (exchange.isAnswering) exchange.cut();
    else endWith(exchange.abandon(status), renderRawError(status, this.#options.serverHeader));
  }

  /** The exchange that has the connection now. */
  #exchangeOn(socket: Duplex): Http1Exchange | undefined {
    for (const exchange of this.#watch.exchanges()) if (exchange.isOn(socket)) return exchange;
    return undefined;
  }
}

interface ClientError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

/**
 * Runs `onTurn` once the response has its connection; never when the connection ends before. What a client may send
 * meanwhile is bounded by what was read at once: its connection is not read until the last waiting request is up.
 */
function waitForTurn(request: IncomingMessage, response: ServerResponse, onTurn: () => void): void {
  const { socket } = request;
  waitingOn.set(socket, waitersOf(socket) + 1);
  // Not at once: Node starts to read again behind the end of every request that it parsed.
  setImmediate(() => {
    if (waitersOf(socket) > 0) socket.pause();
  });
  response.once("socket", () => {
    // The answer before tells its own end first.
    setImmediate(() => {
      waitingOn.set(socket, waitersOf(socket) - 1);
      if (waitersOf(socket) === 0) socket.resume();
      if (!response.destroyed) onTurn();
    });
  });
}

function waitersOf(socket: Duplex): number {
  return waitingOn.get(socket) ?? 0;
}

/** How many requests wait on a connection; only connections that pipelined have an entry. */
const waitingOn = new WeakMap<Duplex, number>();

/** Binds any server; raises `LISTEN_FAILED`. */
export function listenOn(server: Server, { host, port }: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      const message = `cannot listen on ${host}:${port}: ${error.message}`;
      reject(new GatewayError("LISTEN_FAILED", message, { cause: error, details: { host, port } }));
    };
    server.once("error", onError);
    server.listen(port, host, () => {
      server.off("error", onError);
      const bound = server.address();
      resolve({ host, port: typeof bound === "object" && bound !== null ? bound.port : port });
    });
  });
}
