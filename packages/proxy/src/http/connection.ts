import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { Client } from "undici";
import { ConnectFailure, connectSocket } from "./connect-socket.ts";
import type { ConnectionPool } from "./connection-pool.ts";

/** Node's timers hold 31 bits; more would fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Whoever has a connection in use; told when its inactivity timer ran out. */
export interface ConnectionUser {
  onInactive(): void;
}

/**
 * One undici client that carries one request at a time, with the socket beneath it in reach.
 *
 * undici opens another socket by itself when the old one is gone before a request was written. Its own
 * timers for head and body are off: they tick in steps of half a second and may fire early.
 */
export class Connection {
  readonly client: Client;
  /** The exchange in progress; absent while idle. */
  user: ConnectionUser | undefined;
  /** Deadline of the next connect, in milliseconds. */
  connectMs = 0;
  /** Requests already written to the current socket. */
  served = 0;
  socket: Socket | undefined;
  readonly #pool: ConnectionPool;
  #timer: NodeJS.Timeout | undefined;
  #timerMs = -1;
  #isClosed = false;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
    const { idleTimeoutMs, maxRequests } = pool.target.keepalive;
    const keepAliveMs = Math.min(Math.max(idleTimeoutMs, 1), LONGEST_TIMER_MS);
    this.client = new Client(pool.origin, {
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      // A `Keep-Alive: timeout` of the upstream may shorten the wait, never lengthen it.
      keepAliveMaxTimeout: keepAliveMs,
      ...(maxRequests === undefined ? {} : { maxRequestsPerClient: maxRequests }),
      connect: (_options, callback) => this.#connect(callback),
    });
    this.client.on("disconnect", () => this.#onDisconnect());
    const emitter: EventEmitter = this.client;
    emitter.on("error", (error: Error) => pool.onClientError(error));
  }

  /** Starts the inactivity timer anew. */
  arm(timeoutMs: number): void {
    if (this.#timer !== undefined && this.#timerMs === timeoutMs) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#timerMs = timeoutMs;
    // One timer lives as long as the connection: refreshing it is a fraction of the cost of a new one per request.
    // The millisecond on top makes up for the age of the event loop's clock.
    this.#timer = setTimeout(onTimer, Math.min(timeoutMs + 1, LONGEST_TIMER_MS), this);
    this.#timer.unref();
  }

  /** Ends the connection once the exchange on it is complete. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.client.close(() => this.#pool.onClosed(this));
  }

  /** Ends the connection now; an exchange on it fails with `error`. */
  destroy(error: Error): void {
    if (this.#isClosed && this.client.destroyed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.client.destroy(error, () => this.#pool.onClosed(this));
    // While the connection is being opened undici does not know the socket yet.
    this.socket?.destroy();
  }

  #connect(callback: (...args: [null, Socket] | [Error, null]) => void): void {
    this.served = 0;
    const { target, session } = this.#pool;
    let secureContext: SecureContext | undefined;
    try {
      secureContext = this.#pool.secureContext;
    } catch (error) {
      callback(new ConnectFailure("tls", "client certificate or key cannot be read", error), null);
      return;
    }
    const socket = connectSocket({ target, timeoutMs: this.connectMs, secureContext, session }, (error, opened) => {
      if (opened !== null) callback(null, opened);
      else callback(error ?? new Error("no connection"), null);
    });
    this.socket = socket;
    if (target.scheme === "https") {
      socket.on("session", (ticket: Buffer) => {
        this.#pool.session = ticket;
      });
    }
  }

  #onDisconnect(): void {
    this.socket = undefined;
    if (this.user === undefined) this.#pool.onIdleDisconnect(this);
  }
}

function onTimer(connection: Connection): void {
  connection.user?.onInactive();
}
