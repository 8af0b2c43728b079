import { createSecureContext, type SecureContext } from "node:tls";
import { type Connections, type Endpoint, type Target, UsagePool } from "@fngate/kernel";
import type { Exchange, Forwarder, OutgoingRequest, ResponseSink } from "../exchange.ts";
import { Http2Endpoint } from "../http2/http2-endpoint.ts";
import { Http2Exchange } from "../http2/http2-exchange.ts";
import { SessionPool } from "../http2/session-pool.ts";
import { ConnectionPool, type PoolSupport } from "./connection-pool.ts";
import { HttpExchange } from "./http-exchange.ts";
import { PooledEndpoint, pooled } from "./pooled-endpoint.ts";
import { trustedCertificates } from "./trusted-certificates.ts";

/** Settings of {@link createConnections}. */
export interface ConnectionsOptions {
  /** PEM certificates trusted for `https` targets, beside Node's own and the system's. */
  readonly caCertificates?: readonly string[];
}

/** Numbers for status pages, at the time of reading. */
export interface ConnectionStats {
  /** Targets in use. */
  readonly pools: number;
  /** Connections open or being opened. */
  readonly open: number;
  /** Those of {@link open} that wait for a request. */
  readonly idle: number;
}

/** Every upstream connection of the process, and the forwarder that uses them. */
export interface ConnectionManager extends Connections, Forwarder {
  readonly stats: ConnectionStats;
  /** Closes idle connections, lets running exchanges end, and resolves when no connection is left. */
  close(): Promise<void>;
  /** Cuts every connection; running exchanges fail with `error`. Resolves when the sockets are closed. */
  destroy(error?: Error): Promise<void>;
}

/**
 * Creates the pools of upstream connections and their forwarder: HTTP/1.1, one request at a time per connection,
 * no limit on connections in use; and HTTP/2 for targets that say so, many requests on one connection.
 *
 * Equal targets share one pool whatever their timeouts, which belong to the endpoint. Connections are kept as
 * `keepalive` says. A kept connection that turns out dead before a byte of the answer is replaced once, for
 * requests without a body and with a safe method only.
 */
export function createConnections(options: ConnectionsOptions = {}): ConnectionManager {
  return new PooledConnections(options);
}

type AnyPool = ConnectionPool | SessionPool;

class PooledConnections implements ConnectionManager, PoolSupport {
  readonly #caCertificates: readonly string[];
  readonly #pools = new UsagePool<string, ConnectionPool>((pool) => this.#retire(pool));
  readonly #sessionPools = new UsagePool<string, SessionPool>((pool) => this.#retire(pool));
  /** Released pools whose last exchanges still run. */
  readonly #retired = new Set<AnyPool>();
  #trusted: string[] | undefined;
  #sharedContext: SecureContext | undefined;
  #isClosed = false;

  constructor(options: ConnectionsOptions) {
    this.#caCertificates = options.caCertificates ?? [];
  }

  acquire(target: Target): Endpoint {
    if (target.version === "2") return this.#acquireHttp2(target);
    const usage = this.#pools.acquire(keyOf(target), () => new ConnectionPool(target, this));
    if (this.#isClosed) usage.value.retire();
    return new PooledEndpoint(target, usage);
  }

  forward(endpoint: Endpoint, request: OutgoingRequest, sink: ResponseSink): Exchange {
    if (endpoint instanceof Http2Endpoint) return new Http2Exchange(endpoint, request, sink);
    return new HttpExchange(pooled(endpoint), request, sink);
  }

  #acquireHttp2(target: Target): Endpoint {
    const usage = this.#sessionPools.acquire(keyOf(target), () => new SessionPool(target, this));
    if (this.#isClosed) usage.value.retire();
    return new Http2Endpoint(target, usage);
  }

  get stats(): ConnectionStats {
    let open = 0;
    let idle = 0;
    for (const pool of this.#everyPool()) {
      open += pool.openCount;
      idle += pool.idleCount;
    }
    return { pools: this.#pools.size + this.#sessionPools.size, open, idle };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const pools = this.#everyPool();
    for (const pool of pools) pool.retire();
    await Promise.all(pools.map((pool) => pool.whenEmpty()));
  }

  async destroy(error: Error = new Error("connections destroyed")): Promise<void> {
    this.#isClosed = true;
    const pools = this.#everyPool();
    for (const pool of pools) pool.destroy(error);
    await Promise.all(pools.map((pool) => pool.whenEmpty()));
  }

  secureContextOf(target: Target): SecureContext | undefined {
    const { cert, key } = target.tls ?? {};
    if (cert === undefined || key === undefined) {
      this.#sharedContext ??= createSecureContext({ ca: this.#trustedCertificates() });
      return this.#sharedContext;
    }
    return createSecureContext({ ca: this.#trustedCertificates(), cert, key });
  }

  #everyPool(): AnyPool[] {
    return [...this.#pools.values(), ...this.#sessionPools.values(), ...this.#retired];
  }

  #retire(pool: AnyPool): void {
    pool.retire();
    if (pool.openCount === 0) return;
    this.#retired.add(pool);
    void pool.whenEmpty().then(() => this.#retired.delete(pool));
  }

  #trustedCertificates(): string[] {
    this.#trusted ??= trustedCertificates(this.#caCertificates);
    return this.#trusted;
  }
}

/** Timeouts are left out: they bound single waits and do not make two connections differ. */
function keyOf(target: Target): string {
  const { tls, keepalive } = target;
  return JSON.stringify([
    target.scheme,
    target.host,
    target.port,
    tls?.serverName ?? target.host,
    tls?.verify ?? true,
    tls?.cert,
    tls?.key,
    keepalive.idleConnections,
    keepalive.idleTimeoutMs,
    keepalive.maxRequests,
  ]);
}
