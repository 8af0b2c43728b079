import { type ClientHttp2Session, connect, constants } from "node:http2";
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import type { Target } from "@fngate/kernel";
import { ConnectFailure, connectSocket, nameOf } from "../http/connect-socket.ts";
import type { PoolSupport } from "../http/connection-pool.ts";
import { InactivityTimer } from "../http/inactivity-timer.ts";

/** What a server may be asked at a time before it says so itself (RFC 9113 section 6.5.2 recommends no less). */
const ASSUMED_STREAMS = 100;

/** One HTTP/2 connection and the streams on it. */
export class PooledSession {
  readonly session: ClientHttp2Session;
  /** Requests so far. */
  served = 0;
  open = 0;
  readonly idleTimer: InactivityTimer;

  constructor(session: ClientHttp2Session, onIdle: (pooled: PooledSession) => void) {
    this.session = session;
    this.idleTimer = new InactivityTimer(() => onIdle(this));
  }

  /** Whether another request may go over it. */
  hasRoom(maxRequests: number): boolean {
    const { session } = this;
    if (session.closed || session.destroyed || this.served >= maxRequests) return false;
    return this.open < (session.remoteSettings.maxConcurrentStreams ?? ASSUMED_STREAMS);
  }
}

/**
 * The HTTP/2 connections to one target. Requests share a connection as long as the server takes more streams, so a
 * second one is opened only when it does not; `keepalive` says how long an idle one stays and how much it carries.
 */
export class SessionPool {
  readonly target: Target;
  /** `scheme://host:port`. */
  readonly origin: string;
  readonly #support: PoolSupport;
  readonly #sessions = new Set<PooledSession>();
  readonly #sockets = new Set<Socket>();
  readonly #waiting: (() => void)[] = [];
  #opening: Promise<PooledSession> | undefined;
  #isRetired = false;
  #secureContext: SecureContext | undefined;

  constructor(target: Target, support: PoolSupport) {
    this.target = target;
    this.#support = support;
    this.origin = nameOf(target);
  }

  get openCount(): number {
    return this.#sockets.size;
  }

  get idleCount(): number {
    return [...this.#sessions].filter(({ open }) => open === 0).length;
  }

  /** A connection with room for one more request, which is counted; rejects with {@link ConnectFailure}. */
  async acquire(connectMs: number): Promise<PooledSession> {
    const maxRequests = this.target.keepalive.maxRequests ?? Number.POSITIVE_INFINITY;
    for (;;) {
      for (const pooled of this.#sessions) if (pooled.hasRoom(maxRequests)) return this.#take(pooled);
      // Requests that come while a connection is being opened wait for that one; connecting is bounded by the limit of
      // whoever asked first.
      this.#opening ??= this.#open(connectMs).finally(() => {
        this.#opening = undefined;
      });
      const opened = await this.#opening;
      if (opened.hasRoom(maxRequests)) return this.#take(opened);
    }
  }

  /** Gives a request's place back. */
  release(pooled: PooledSession): void {
    pooled.open -= 1;
    if (pooled.open > 0) return;
    const { idleConnections, idleTimeoutMs, maxRequests } = this.target.keepalive;
    const isWornOut = maxRequests !== undefined && pooled.served >= maxRequests;
    if (this.#isRetired || isWornOut || idleConnections === 0) pooled.session.close();
    else pooled.idleTimer.arm(idleTimeoutMs);
  }

  /** Closes idle connections now and the others as their exchanges end. */
  retire(): void {
    this.#isRetired = true;
    for (const { open, session } of this.#sessions) if (open === 0) session.close();
  }

  /** Cuts every connection. */
  destroy(error: Error): void {
    this.#isRetired = true;
    for (const { session } of this.#sessions) session.destroy(error, constants.NGHTTP2_CANCEL);
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Resolves when no connection is left. */
  async whenEmpty(): Promise<void> {
    if (this.#sockets.size === 0) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #take(pooled: PooledSession): PooledSession {
    pooled.idleTimer.stop();
    pooled.open += 1;
    pooled.served += 1;
    return pooled;
  }

  async #open(connectMs: number): Promise<PooledSession> {
    const socket = await this.#connect(connectMs);
    const session = connect(this.origin, { createConnection: () => socket, settings: { enablePush: false } });
    const pooled = new PooledSession(session, () => session.close());
    this.#sessions.add(pooled);
    // Streams learn of it by themselves; without a listener it would end the process.
    session.on("error", () => undefined);
    session.once("close", () => {
      pooled.idleTimer.stop();
      this.#sessions.delete(pooled);
    });
    return pooled;
  }

  #connect(timeoutMs: number): Promise<Socket> {
    const { target } = this;
    return new Promise((resolve, reject) => {
      try {
        if (target.scheme === "https") this.#secureContext ??= this.#support.secureContextOf(target);
      } catch (error) {
        reject(new ConnectFailure("tls", "client certificate or key cannot be read", error));
        return;
      }
      const options = { target, timeoutMs, secureContext: this.#secureContext, session: undefined };
      const socket = connectSocket(options, (error, opened) => {
        if (opened === null) reject(error ?? new ConnectFailure("refused", "no connection"));
        else resolve(opened);
      });
      this.#sockets.add(socket);
      socket.once("close", () => this.#onClosed(socket));
    });
  }

  #onClosed(socket: Socket): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
