import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { http } from "@fngate/kernel";
import type { UpgradeHandover } from "./client-exchange.ts";
import { Http1Exchange } from "./http1-exchange.ts";

/** What Node's `upgrade` event delivers. */
export interface UpgradeParts {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/**
 * A request that may become a tunnel. Until it does it is answered like any other, after which its connection is
 * closed: Node has let go of it and reads no further request from it.
 */
export class UpgradeExchange extends Http1Exchange {
  override readonly upgrade: UpgradeHandover;
  readonly #socket: Duplex;
  readonly #response: ServerResponse;
  #isHandedOver = false;
  #isOver = false;
  #listener: ((isComplete: boolean) => void) | undefined;

  constructor(parts: UpgradeParts) {
    const { request, socket } = parts;
    const response = new http.ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(request.socket);
    super(request, response, false);
    this.#socket = socket;
    this.#response = response;
    this.upgrade = { ...parts, detach: () => this.#detach(), finish: (isComplete) => this.#finish(isComplete) };
    // A client that resets its connection must not end the process; `close` follows.
    socket.on("error", () => {});
    socket.once("close", () => {
      if (!this.#isHandedOver) this.#finish(false);
    });
    response.once("finish", () => {
      response.detachSocket(request.socket);
      socket.end();
      this.#finish(true);
    });
  }

  override get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  override onClose(listener: (isComplete: boolean) => void): void {
    this.#listener = listener;
  }

  #detach(): void {
    this.#isHandedOver = true;
    this.#response.detachSocket(this.#response.req.socket);
  }

  #finish(isComplete: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener?.(isComplete);
  }
}
