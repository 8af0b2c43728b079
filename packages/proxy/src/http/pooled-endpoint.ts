import { type Endpoint, GatewayError, type Target, type Usage } from "@fngate/kernel";
import type { ConnectionPool } from "./connection-pool.ts";

/** An HTTP/1.1 endpoint behind {@link Endpoint}: a share in a pool, with limits of its own. */
export class PooledEndpoint implements Endpoint {
  readonly target: Target;
  readonly pool: ConnectionPool;
  readonly timeouts: Target["timeouts"];
  readonly #usage: Usage<ConnectionPool>;

  constructor(target: Target, usage: Usage<ConnectionPool>) {
    this.target = target;
    this.timeouts = target.timeouts;
    this.pool = usage.value;
    this.#usage = usage;
  }

  release(): void {
    this.#usage.release();
  }
}

/**
 * The pool behind an HTTP/1.1 endpoint.
 *
 * @throws GatewayError `UPSTREAM_INVALID` for an endpoint of HTTP/2, or one that was not acquired from this package
 */
export function pooled(endpoint: Endpoint): PooledEndpoint {
  if (endpoint instanceof PooledEndpoint) return endpoint;
  throw new GatewayError("UPSTREAM_INVALID", "endpoint is not an HTTP/1.1 one of these connections");
}
