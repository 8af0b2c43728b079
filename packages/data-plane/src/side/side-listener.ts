import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { http, type Logger, messageOf } from "@fngate/kernel";
import { listenOn } from "../http/listener.ts";
import { renderError } from "../http/reply.ts";
import type { ListenAddress } from "../options.ts";

/** A request to a side listener, whole and plain, so that it can be handed to another process. */
export interface SideRequest {
  readonly method: string;
  /** As sent, without query. */
  readonly path: string;
  /** Without `?`; empty when there is none. */
  readonly query: string;
  /** Flat `[name, value, ...]` as received. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

/** What a side listener answers. */
export interface SideAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Answers a request; nothing for one that it does not know. */
export type SideHandler = (request: SideRequest) => SideAnswer | undefined | Promise<SideAnswer | undefined>;

/** Largest body that is taken, bytes: nobody sends more than a few fields. */
const BODY_LIMIT_BYTES = 1024 * 1024;

/** A small port beside the traffic: metrics, status, Control API. */
export class SideListener {
  readonly #server: Server;
  readonly #handler: SideHandler;
  readonly #logger: Logger;

  constructor(handler: SideHandler, logger: Logger) {
    this.#handler = handler;
    this.#logger = logger;
    this.#server = http.createServer((request, response) => void this.#answer(request, response));
  }

  /** Binds; raises `LISTEN_FAILED`. */
  listen(address: ListenAddress): Promise<ListenAddress> {
    return listenOn(this.#server, address);
  }

  /** Stops at once: nobody waits for metrics at shutdown. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, contentType, body } = await this.#run(request);
    if (response.destroyed) return;
    if (!request.complete) response.shouldKeepAlive = false;
    response.writeHead(status, { "Content-Type": contentType, "Content-Length": Buffer.byteLength(body) });
    response.end(body);
  }

  async #run(request: IncomingMessage): Promise<SideAnswer> {
    try {
      const read = await readRequest(request);
      return read === undefined ? errorAnswer(413) : ((await this.#handler(read)) ?? errorAnswer(404));
    } catch (error) {
      if (request.socket.destroyed) return errorAnswer(400);
      this.#logger.error({ reason: messageOf(error) }, "side listener failed");
      return errorAnswer(500);
    }
  }
}

/** The gateway's error answer on a side listener. */
export function errorAnswer(status: number): SideAnswer {
  return { status, contentType: "application/json", body: renderError(status).body.toString() };
}

/** Whether a request only reads. */
export function isRead({ method }: SideRequest): boolean {
  return method === "GET" || method === "HEAD";
}

async function readRequest(request: IncomingMessage): Promise<SideRequest | undefined> {
  const { method = "GET", rawHeaders, url = "/" } = request;
  const mark = url.indexOf("?");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES) return undefined;
    chunks.push(chunk);
  }
  return {
    method,
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? "" : url.slice(mark + 1),
    rawHeaders,
    body: Buffer.concat(chunks),
  };
}
