import type { SecureContext } from "node:tls";
import type { Target } from "@fngate/kernel";
import { Connection } from "./connection.ts";

/** What a pool asks of its surroundings. */
export interface PoolSupport {
  /** The TLS context of an `https` target, built when first needed. */
  secureContextOf(target: Target): SecureContext | undefined;
  onClientError(error: Error): void;
}

/**
 * The connections to one target: idle ones on a stack, so that the most recently used is taken first and the
 * others grow old, and no limit on those in use. Above `keepalive.idleConnections` the least recently used goes.
 */
export class ConnectionPool {
  readonly target: Target;
  /** Origin URL for undici. */
  readonly origin: string;
  /** TLS session of the last handshake, to shorten the next. */
  session: Buffer | undefined;
  readonly #support: PoolSupport;
  readonly #all = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #waiting: (() => void)[] = [];
  #isRetired = false;
  #secureContext: SecureContext | undefined;

  constructor(target: Target, support: PoolSupport) {
    this.target = target;
    this.#support = support;
    const host = target.host.includes(":") ? `[${target.host}]` : target.host;
    this.origin = `${target.scheme}://${host}:${target.port}`;
  }

  get secureContext(): SecureContext | undefined {
    if (this.target.scheme === "http") return undefined;
    this.#secureContext ??= this.#support.secureContextOf(this.target);
    return this.#secureContext;
  }

  get idleCount(): number {
    return this.#idle.length;
  }

  get openCount(): number {
    return this.#all.size;
  }

  /** An idle connection, else a new one. */
  acquire(): Connection {
    return this.#idle.pop() ?? this.acquireFresh();
  }

  /** A connection nothing was sent on yet. */
  acquireFresh(): Connection {
    const connection = new Connection(this);
    this.#all.add(connection);
    return connection;
  }

  /** Takes a connection back after a complete answer. */
  release(connection: Connection): void {
    const limit = this.target.keepalive.idleConnections;
    if (limit === 0 || this.#isRetired) {
      connection.close();
      return;
    }
    this.#idle.push(connection);
    if (this.#idle.length > limit) this.#idle.shift()?.close();
  }

  /** Closes idle connections now and the others as their exchanges end. */
  retire(): void {
    this.#isRetired = true;
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  /** Cuts every connection; exchanges on them fail with `error`. */
  destroy(error: Error): void {
    this.#isRetired = true;
    this.#idle.length = 0;
    for (const connection of [...this.#all]) connection.destroy(error);
  }

  /** Resolves when no connection is left. */
  async whenEmpty(): Promise<void> {
    if (this.#all.size === 0) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  onClosed(connection: Connection): void {
    this.#all.delete(connection);
    if (this.#all.size > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  onIdleDisconnect(connection: Connection): void {
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    connection.close();
  }

  onClientError(error: Error): void {
    this.#support.onClientError(error);
  }
}
