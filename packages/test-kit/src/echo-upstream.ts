import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type EventuallyOptions, eventually } from "./eventually.ts";

/** One request as it came over the wire. */
export interface RecordedRequest {
  readonly method: string;
  /** Request target, not decoded. */
  readonly url: string;
  readonly httpVersion: string;
  /** Flat name, value list in wire order and spelling. */
  readonly rawHeaders: readonly string[];
  /** Joined by lower-case name, as Node does. */
  readonly headers: IncomingMessage["headers"];
  readonly rawTrailers: readonly string[];
  readonly body: Buffer;
  /** Number of the connection it came on, counted from 1: equal numbers mean a reused connection. */
  readonly connection: number;
}

/** What the upstream answers; everything has a default. */
export interface EchoReply {
  /** Default 200. */
  readonly status?: number;
  /** A record, or a flat name, value list to repeat fields and keep spelling. Default: `content-type: application/json`. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | readonly string[];
  /** Text or bytes as they are, anything else as JSON; default: the request as JSON. */
  readonly body?: unknown;
  /** Body sent piece by piece instead of {@link EchoReply.body}. */
  readonly chunks?: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;
  /** Pause before the status line, in milliseconds. */
  readonly delayMs?: number;
  /** Pause before each chunk, in milliseconds. */
  readonly chunkDelayMs?: number;
  /** Destroys the connection: before any byte of the answer, after the head, or after the last chunk without ending. */
  readonly reset?: "before-head" | "after-head" | "after-chunks";
}

/** A fixed reply or one made per request. */
export type EchoResponder = EchoReply | ((request: RecordedRequest) => EchoReply | Promise<EchoReply>);

export interface EchoUpstreamOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: any free one. */
  readonly port?: number;
  readonly reply?: EchoResponder;
  /** PEM key and certificate make it an HTTPS server; `ca` makes it ask for a client certificate it accepts. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string };
}

/** A real HTTP server that remembers what it got and answers what the test says. */
export class EchoUpstream implements AsyncDisposable {
  /** Requests whose body has arrived whole, in that order. */
  readonly requests: RecordedRequest[] = [];
  readonly #server: Server;
  readonly #scheme: string;
  readonly #host: string;
  readonly #sockets = new Map<Socket, number>();
  #reply: EchoResponder;
  #connections = 0;
  #started = 0;
  #aborted = 0;

  constructor({ host = "127.0.0.1", reply = {}, tls }: EchoUpstreamOptions = {}) {
    this.#host = host;
    this.#reply = reply;
    this.#scheme = tls === undefined ? "http" : "https";
    const listener: RequestListener = (request, response) => void this.#handle(request, response);
    this.#server =
      tls === undefined
        ? createHttpServer(listener)
        : createHttpsServer({ ...tls, requestCert: tls.ca !== undefined }, listener);
    this.#server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => this.#track(socket));
  }

  /** Starts listening; rejects with the system's error when the port is taken. */
  async listen(port = 0): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen(port, this.#host, resolve);
    await promise;
    this.#server.off("error", reject);
  }

  get host(): string {
    return this.#host;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `scheme://host:port`, without a path. */
  get origin(): string {
    const host = this.#host.includes(":") ? `[${this.#host}]` : this.#host;
    return `${this.#scheme}://${host}:${this.port}`;
  }

  /** How many connections were ever accepted. */
  get connections(): number {
    return this.#connections;
  }

  /** How many connections are open now. */
  get openConnections(): number {
    return this.#sockets.size;
  }

  /** How many requests have begun, their bodies perhaps still on the way. */
  get started(): number {
    return this.#started;
  }

  /** How many exchanges the caller ended before the answer was complete. */
  get aborted(): number {
    return this.#aborted;
  }

  /** Decides the answers from now on. */
  replyWith(reply: EchoResponder): void {
    this.#reply = reply;
  }

  /** Resolves to request number `count` (from 1) once it has arrived whole. */
  request(count = 1, options?: EventuallyOptions): Promise<RecordedRequest> {
    return eventually(() => {
      const found = this.requests[count - 1];
      if (found === undefined) throw new Error(`${this.requests.length} of ${count} requests arrived`);
      return found;
    }, options);
  }

  /** Destroys every open connection and goes on listening. */
  dropConnections(): void {
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.dropConnections();
    await promise;
  }

  #track(socket: Socket): void {
    this.#connections += 1;
    this.#sockets.set(socket, this.#connections);
    // A caller that resets its connection is a case under test, not a failure of this server.
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#started += 1;
    let isOwnReset = false;
    response.on("close", () => {
      if (!response.writableFinished && !isOwnReset) this.#aborted += 1;
    });
    try {
      const recorded = await this.#record(request);
      const reply = typeof this.#reply === "function" ? await this.#reply(recorded) : this.#reply;
      isOwnReset = reply.reset !== undefined;
      await answer(response, recorded, reply);
    } catch {
      // The caller went away while its body was read or the answer written; `aborted` has counted it.
      request.socket.destroy();
    }
  }

  async #record(request: IncomingMessage): Promise<RecordedRequest> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const recorded: RecordedRequest = {
      method: request.method ?? "",
      url: request.url ?? "",
      httpVersion: request.httpVersion,
      rawHeaders: request.rawHeaders,
      headers: request.headers,
      rawTrailers: request.rawTrailers,
      body: Buffer.concat(parts),
      connection: this.#sockets.get(request.socket) ?? 0,
    };
    this.requests.push(recorded);
    return recorded;
  }
}

/** Starts an {@link EchoUpstream}. */
export async function startEchoUpstream(options: EchoUpstreamOptions = {}): Promise<EchoUpstream> {
  const upstream = new EchoUpstream(options);
  await upstream.listen(options.port);
  return upstream;
}

async function answer(response: ServerResponse, request: RecordedRequest, reply: EchoReply): Promise<void> {
  if (reply.delayMs !== undefined) await delay(reply.delayMs, undefined, { ref: false });
  if (reply.reset === "before-head") return void response.destroy();
  response.writeHead(reply.status ?? 200, headersOf(reply));
  if (reply.reset === "after-head") {
    response.flushHeaders();
    await new Promise<void>((resolve) => response.write("", () => resolve()));
    return void response.destroy();
  }
  if (reply.chunks === undefined) return void response.end(bodyOf(request, reply));
  response.flushHeaders();
  for await (const chunk of reply.chunks) {
    if (reply.chunkDelayMs !== undefined) await delay(reply.chunkDelayMs, undefined, { ref: false });
    if (response.destroyed) return;
    await new Promise<void>((resolve, reject) => response.write(chunk, (error) => (error ? reject(error) : resolve())));
  }
  if (reply.reset === "after-chunks") response.destroy();
  else response.end();
}

function headersOf(reply: EchoReply): string[] {
  const headers = reply.headers ?? { "content-type": "application/json" };
  if (Array.isArray(headers)) return [...headers];
  return Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((one) => [name, String(one)]));
}

function bodyOf(request: RecordedRequest, reply: EchoReply): string | Uint8Array {
  if (typeof reply.body === "string" || reply.body instanceof Uint8Array) return reply.body;
  const { method, url, headers, rawHeaders, body } = request;
  return JSON.stringify(reply.body ?? { method, url, headers, rawHeaders, body: body.toString() });
}
