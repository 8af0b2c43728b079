import type { SecureContext } from "node:tls";
import type { Target } from "@fngate/kernel";
import { Connection, type ConnectionUser } from "./connection.ts";

/** What a pool asks of its surroundings. */
export interface PoolSupport {
  /** The TLS context of an `https` target, built when first needed. */
  secureContextOf(target: Target): SecureContext | undefined;
}

/**
 * The connections to one target: idle ones on a stack, so that the most recently used is taken first and the
 * others grow old, and no limit on those in use. Above `keepalive.idleConnections` the least recently used goes.
 */
export class ConnectionPool {
  readonly target: Target;
  /** `scheme://host:port`, for messages. */
  readonly origin: string;
  /** `Host` of requests that have none. */
  readonly hostHeader: string;
  /** TLS session of the last handshake, to shorten the next. */
  session: Buffer | undefined;
  readonly #support: PoolSupport;
  readonly #all = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #waiting: (() => void)[] = [];
  #isRetired = false;
  #isDestroyed = false;
  #secureContext: SecureContext | undefined;

  constructor(target: Target, support: PoolSupport) {
    this.target = target;
    this.#support = support;
    const host = target.host.includes(":") ? `[${target.host}]` : target.host;
    this.hostHeader = `${host}:${target.port}`;
    this.origin = `${target.scheme}://${this.hostHeader}`;
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

  /** Nothing is sent over it any more. */
  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  /** An idle connection, else a new one that is being opened. */
  acquire(user: ConnectionUser, connectMs: number): Connection {
    const kept = this.#idle.pop();
    if (kept === undefined) return this.acquireFresh(user, connectMs);
    kept.user = user;
    return kept;
  }

  /** A connection nothing was sent on yet. */
  acquireFresh(user: ConnectionUser, connectMs: number): Connection {
    const connection = new Connection(this, user);
    this.#all.add(connection);
    connection.connect(connectMs);
    return connection;
  }

  /** Takes a connection back after a complete answer. */
  release(connection: Connection): void {
    connection.user = undefined;
    const { idleConnections, maxRequests } = this.target.keepalive;
    const isWornOut = maxRequests !== undefined && connection.served >= maxRequests;
    if (isWornOut || idleConnections === 0 || this.#isRetired || !connection.isOpen || connection.idleMs <= 0) {
      connection.destroy(NOT_KEPT);
      return;
    }
    connection.arm(connection.idleMs);
    this.#idle.push(connection);
    if (this.#idle.length > idleConnections) this.#idle.shift()?.destroy(NOT_KEPT);
  }

  /** Closes idle connections now and the others as their exchanges end. */
  retire(): void {
    this.#isRetired = true;
    for (const connection of this.#idle.splice(0)) connection.destroy(NOT_KEPT);
  }

  /** Cuts every connection; exchanges on them fail with `error`. */
  destroy(error: Error): void {
    this.#isRetired = true;
    this.#isDestroyed = true;
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

  /** A connection that ended by itself is no longer there to be taken. */
  forget(connection: Connection): void {
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }
}

/** Why an idle connection is closed; nobody waits for it. */
const NOT_KEPT = new Error("connection not kept");
