import type { Endpoint, Target, Usage } from "@fngate/kernel";
import type { SessionPool } from "./session-pool.ts";

/** A share in the HTTP/2 connections to a target, with limits of its own. */
export class Http2Endpoint implements Endpoint {
  readonly target: Target;
  readonly pool: SessionPool;
  readonly #usage: Usage<SessionPool>;

  constructor(target: Target, usage: Usage<SessionPool>) {
    this.target = target;
    this.pool = usage.value;
    this.#usage = usage;
  }

  release(): void {
    this.#usage.release();
  }
}
