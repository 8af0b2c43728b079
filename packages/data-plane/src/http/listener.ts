import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Clock, GatewayError } from "@fngate/kernel";
import type { ListenAddress } from "../options.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { renderRawError } from "./reply.ts";
import type { RequestHandler } from "./request-handler.ts";
import { StallWatch } from "./stall-watch.ts";
import { UpgradeExchange, type UpgradeParts } from "./upgrade-exchange.ts";

export interface ListenerOptions {
  readonly handler: RequestHandler;
  readonly serverHeader: string;
  readonly clock: Clock;
  readonly maxHeaderBytes: number;
}

/** How long a connection may idle between requests (APISIX: `keepalive_timeout` 60s). */
const KEEP_ALIVE_TIMEOUT_MS = 60_000;

/** A head that takes longer is given up (APISIX: `client_header_timeout` 60s). */
const HEADERS_TIMEOUT_MS = 60_000;

/** A plain HTTP/1.1 port. */
export class HttpListener {
  readonly #server: Server;
  readonly #watch: StallWatch;
  readonly #options: ListenerOptions;
  readonly #counts = { accepted: 0 };
  readonly #sockets = new Set<Socket>();
  /** Connections that Node has let go of. */
  readonly #upgraded = new Set<Duplex>();
  #isDraining = false;
  #onLastExchange: (() => void) | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#watch = new StallWatch(options.clock);
    this.#server = createServer({
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      // A slow upload that still moves is fine; one that does not is the stall watch's.
      requestTimeout: 0,
      maxHeaderSize: options.maxHeaderBytes,
      // Admission answers these, with the gateway's own error.
      requireHostHeader: false,
      shouldUpgradeCallback: (request) => this.#mayUpgrade(request),
    });
    this.#server.on("connection", (socket) => {
      this.#counts.accepted += 1;
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("request", (request, response) => this.#take(request, response, false));
    this.#server.on("checkContinue", (request, response) => this.#take(request, response, true));
    this.#server.on("checkExpectation", (request, response) => this.#take(request, response, false));
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
    return { accepted: this.#counts.accepted, active: this.#watch.size, open };
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
    // Node counts a connection on which nothing was asked yet as busy, and would wait for its client.
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
    // The server closes a moment before the exchanges of destroyed sockets end, and those still log.
    return Promise.all([closed, lastExchange]).then(() => this.#watch.stop());
  }

  /** Cuts every connection. */
  destroy(): void {
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
  }

  async #lastExchange(): Promise<void> {
    if (this.#watch.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onLastExchange = resolve;
    });
  }

  #take(request: IncomingMessage, response: ServerResponse, isContinueOwed: boolean): void {
    const exchange = new Http1Exchange(request, response, isContinueOwed);
    if (this.#isDraining) exchange.closeAfterAnswer();
    this.#watch.add(exchange);
    response.once("close", () => {
      this.#watch.delete(exchange);
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
    const exchange = new Http1Exchange(request, new ServerResponse(request), false);
    return !exchange.hasBody && this.#options.handler.mayUpgrade(exchange);
  }

  /** What Node's parser refuses (APISIX routing, listener checks). */
  #onClientError(error: ClientError, socket: Duplex): void {
    // In the middle of an answer an error page would be taken for a part of it.
    const isAnswering = [...this.#watch.exchanges()].some((exchange) => exchange.isAnsweringOn(socket));
    if (error.code === "ECONNRESET" || !socket.writable || isAnswering) {
      socket.destroy();
      return;
    }
    const isLineTooLong = error.code === "HPE_HEADER_OVERFLOW" && error.rawPacket?.includes("\n") !== true;
    this.#refuse(socket, isLineTooLong ? 414 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400);
  }

  #refuse(socket: Duplex, status: number): void {
    socket.end(renderRawError(status, this.#options.serverHeader));
  }
}

interface ClientError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

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
