import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { http, timerDelay } from "@fngate/kernel";
import type HttpProxy from "http-proxy";
import type { AttemptFailure } from "../exchange.ts";
import { responseHeaders } from "../headers/response-headers.ts";
import { InactivityError, reasonOf } from "../http/failure.ts";
import type { PooledEndpoint } from "../http/pooled-endpoint.ts";
import { statusOf } from "../upstream/failure-status.ts";
import { TunnelAgent } from "./tunnel-agent.ts";
import type { UpgradeExchange, UpgradeOutcome, UpgradeRequest, UpgradeTunnelOptions } from "./upgrade-tunnel.ts";

/** How long a client may take to close after an answer that is no upgrade, in milliseconds. */
const LINGER_MS = 1_000;

/** What one tunnel is made of. */
export interface TunnelStart {
  readonly proxy: HttpProxy;
  readonly endpoint: PooledEndpoint;
  readonly upgrade: UpgradeRequest;
  readonly renderFailure: UpgradeTunnelOptions["renderFailure"] | undefined;
}

/** One upgrade from request to closed sockets; http-proxy does the copying, this the ends. */
export class TunnelSession implements UpgradeExchange {
  readonly outcome: Promise<UpgradeOutcome>;
  /** The client's request as http-proxy is to see it: our fields instead of the client's. */
  readonly outgoing: IncomingMessage;
  readonly #settle: (outcome: UpgradeOutcome) => void;
  readonly #start: TunnelStart;
  #upstreamRequest: ClientRequest | undefined;
  #upstreamSocket: Socket | undefined;
  #answerTimer: NodeJS.Timeout | undefined;
  /** What the outcome will be once the client's socket is closed. */
  #result: UpgradeOutcome = { kind: "cancelled" };

  constructor(start: TunnelStart) {
    const { promise, resolve } = Promise.withResolvers<UpgradeOutcome>();
    this.outcome = promise;
    this.#settle = resolve;
    this.#start = start;
    this.outgoing = outgoingRequest(start.upgrade);
  }

  start(): void {
    const { proxy, endpoint, upgrade } = this.#start;
    const { socket } = upgrade;
    // A client that resets its connection must not end the process; `close` follows.
    socket.on("error", () => undefined);
    socket.once("close", () => this.#onClientClosed());
    if (socket.destroyed) {
      this.#onClientClosed();
      return;
    }
    // http-proxy is told `http` for TLS too: the agent brings a socket that is already encrypted.
    const { host, port } = endpoint.target;
    const options = { target: { protocol: "http:", host, port }, agent: new TunnelAgent(endpoint), toProxy: true };
    proxy.ws(this.outgoing, socket, upgrade.head, options, (error) => this.#onFailure(error));
    // http-proxy relays an answer that is no upgrade with a `Transfer-Encoding` its body no longer has.
    this.#upstreamRequest?.removeAllListeners("response").once("response", (answer) => this.#onDeclined(answer));
  }

  cancel(): void {
    this.#start.upgrade.socket.destroy();
  }

  /** http-proxy made its request and has not sent it yet. */
  onUpstreamRequest(request: ClientRequest): void {
    const { endpoint, upgrade } = this.#start;
    this.#upstreamRequest = request;
    // http-proxy folds repeated slashes of the path it was given.
    request.path = upgrade.target;
    request.once("socket", (socket) => {
      this.#upstreamSocket = socket;
      this.#answerTimer = setTimeout(
        () => request.destroy(new InactivityError("upstream did not answer the upgrade in time")),
        timerDelay(endpoint.timeouts.readMs + 1),
      );
    });
    request.once("upgrade", (_answer, socket) => this.#onUpgraded(socket));
  }

  #onUpgraded(socket: Socket): void {
    const { endpoint, upgrade } = this.#start;
    clearTimeout(this.#answerTimer);
    this.#result = { kind: "tunnelled", status: 101 };
    this.#upstreamSocket = socket;
    socket.on("error", () => undefined);
    socket.once("close", () => endOrDestroy(upgrade.socket));
    const { readMs } = endpoint.timeouts;
    // After http-proxy's own listener, which switches timeouts off. Reads and writes both count as activity (nginx).
    process.nextTick(() => socket.setTimeout(timerDelay(readMs), () => socket.destroy()));
  }

  /** Relays an ordinary answer; its body ends with the connection. */
  #onDeclined(answer: IncomingMessage): void {
    const { socket } = this.#start.upgrade;
    clearTimeout(this.#answerTimer);
    const status = answer.statusCode ?? 502;
    this.#result = { kind: "declined", status };
    const fields = ["Connection", "close", ...responseHeaders(answer.rawHeaders)];
    socket.write(headOf(status, answer.statusMessage ?? "", fields), "latin1");
    answer.on("error", () => socket.destroy());
    answer.pipe(socket);
    closeAfterFlush(socket);
  }

  #onFailure(error: Error): void {
    const { socket } = this.#start.upgrade;
    clearTimeout(this.#answerTimer);
    if (this.#result.kind !== "cancelled") {
      socket.destroy();
      return;
    }
    if (socket.destroyed) return;
    const failure = this.#failureOf(error);
    const status = statusOf({ kind: "failed", failure });
    this.#result = { kind: "failed", status, failure };
    const { contentType = "", body = "" } = this.#start.renderFailure?.(status, failure.reason) ?? {};
    const fields = ["Connection", "close", "Content-Length", String(Buffer.byteLength(body))];
    if (contentType !== "") fields.push("Content-Type", contentType);
    closeAfterFlush(socket);
    socket.end(`${headOf(status, http.STATUS_CODES[status] ?? "", fields)}${body}`);
  }

  #failureOf(error: Error): AttemptFailure {
    const reason = error instanceof InactivityError ? "timeout" : reasonOf(error);
    return { reason, isUnsent: this.#upstreamSocket === undefined, cause: error };
  }

  #onClientClosed(): void {
    clearTimeout(this.#answerTimer);
    this.#upstreamRequest?.destroy();
    this.#upstreamSocket?.destroy();
    this.#settle(this.#result);
  }
}

/** The client's request with its own fields and target replaced. */
function outgoingRequest(upgrade: UpgradeRequest): IncomingMessage {
  const request = new http.IncomingMessage(upgrade.request.socket);
  request.method = upgrade.request.method ?? "GET";
  request.url = upgrade.target;
  const fields: Record<string, string | string[]> = {};
  for (let index = 0; index + 1 < upgrade.headers.length; index += 2) {
    const name = (upgrade.headers[index] ?? "").toLowerCase();
    const value = upgrade.headers[index + 1] ?? "";
    const earlier = fields[name];
    fields[name] = earlier === undefined ? value : [earlier, value].flat();
  }
  request.headers = { ...fields, connection: "Upgrade", upgrade: upgrade.request.headers.upgrade ?? "websocket" };
  return request;
}

/** A status line and its fields, ended by the empty line. */
function headOf(status: number, reason: string, fields: readonly string[]): string {
  let head = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let index = 0; index + 1 < fields.length; index += 2) head += `${fields[index]}: ${fields[index + 1]}\r\n`;
  return `${head}\r\n`;
}

/** Gives the client a moment to close first: an early close could take an answer in flight with it. */
function closeAfterFlush(socket: UpgradeRequest["socket"]): void {
  socket.resume();
  socket.once("finish", () => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
  });
}

/** Lets what was written go out first, and closes at once what has nothing left to say. */
function endOrDestroy(socket: UpgradeRequest["socket"]): void {
  if (socket.writableLength === 0) socket.destroy();
  else socket.end(() => socket.destroy());
}
