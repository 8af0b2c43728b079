import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Logger, messageOf } from "@fngate/kernel";
import type { ListenAddress } from "../options.ts";
import { listenOn } from "./listener.ts";
import { renderError } from "./reply.ts";

/** What a side listener answers to a GET. */
export interface SideAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Answers by path. */
export type SideRoutes = ReadonlyMap<string, () => SideAnswer | Promise<SideAnswer>>;

/** A small port beside the traffic: metrics, status. */
export class SideListener {
  readonly #server: Server;
  readonly #routes: SideRoutes;
  readonly #logger: Logger;

  constructor(routes: SideRoutes, logger: Logger) {
    this.#routes = routes;
    this.#logger = logger;
    this.#server = createServer((request, response) => void this.#answer(request, response));
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
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    const isRead = request.method === "GET" || request.method === "HEAD";
    const route = isRead ? this.#routes.get(path) : undefined;
    const { status, contentType, body } = route === undefined ? errorAnswer(404) : await this.#run(route);
    response.writeHead(status, { "Content-Type": contentType, "Content-Length": Buffer.byteLength(body) });
    response.end(body);
  }

  async #run(route: () => SideAnswer | Promise<SideAnswer>): Promise<SideAnswer> {
    try {
      return await route();
    } catch (error) {
      this.#logger.error({ reason: messageOf(error) }, "side listener failed");
      return errorAnswer(500);
    }
  }
}

function errorAnswer(status: number): SideAnswer {
  return { status, contentType: "application/json", body: renderError(status).body.toString() };
}
