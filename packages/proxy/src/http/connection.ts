import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { AnswerParser } from "./answer-parser.ts";
import { ConnectFailure, connectSocket } from "./connect-socket.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { InactivityTimer } from "./inactivity-timer.ts";

/** Whoever has a connection in use. */
export interface ConnectionUser {
  /** The connection stands. */
  onOpen(): void;
  /** `bytes` are valid during the call only. */
  onBytes(bytes: Buffer): void;
  /** Everything written so far was taken. */
  onWritable(): void;
  /** The upstream sends no more. */
  onEnd(): void;
  /** The connection is gone, or never came about. */
  onBroken(error: Error): void;
  /** The time given to {@link Connection.arm} passed without a byte. */
  onInactive(): void;
}

/** One socket to a target, from connect to close. It carries one request at a time. */
export class Connection {
  /** The exchange in progress; absent while idle. */
  user: ConnectionUser | undefined;
  /** Requests written so far. */
  served = 0;
  /** How long it may stay idle, milliseconds. */
  idleMs: number;
  readonly parser = new AnswerParser();
  readonly #pool: ConnectionPool;
  readonly #timer: InactivityTimer;
  #socket: Socket | undefined;
  #isOpen = false;
  #isClosed = false;

  constructor(pool: ConnectionPool, user: ConnectionUser) {
    this.#pool = pool;
    this.user = user;
    this.idleMs = pool.target.keepalive.idleTimeoutMs;
    this.#timer = new InactivityTimer(() => this.#onInactive());
  }

  /** Stands and was not closed from either side. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Written data waits for the upstream to take it. */
  get isCongested(): boolean {
    return this.#socket?.writableNeedDrain === true;
  }

  /** Opens the socket; failures reach the user later, never from within the call. */
  connect(timeoutMs: number): void {
    const { target, session } = this.#pool;
    let secureContext: SecureContext | undefined;
    try {
      secureContext = this.#pool.secureContext;
    } catch (error) {
      const failure = new ConnectFailure("tls", "client certificate or key cannot be read", error);
      process.nextTick(() => this.destroy(failure));
      return;
    }
    const onBytes = (bytes: Buffer): void => this.#onBytes(bytes);
    const socket = connectSocket({ target, timeoutMs, secureContext, session, onBytes }, (failure) => {
      if (failure !== null) this.destroy(failure);
      else this.#onOpen();
    });
    this.#socket = socket;
    socket.on("end", () => this.#onEnd());
    socket.on("drain", () => this.user?.onWritable());
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.#onClose());
    if (target.scheme === "https") {
      socket.on("session", (ticket: Buffer) => {
        this.#pool.session = ticket;
      });
    }
  }

  /** @returns false when the upstream takes less than is written. */
  write(pieces: readonly (string | Uint8Array)[]): boolean {
    const socket = this.#socket;
    if (socket === undefined || this.#isClosed) return true;
    const [first = ""] = pieces;
    if (pieces.length === 1) return writePiece(socket, first);
    socket.cork();
    for (const piece of pieces) if (piece.length > 0) writePiece(socket, piece);
    socket.uncork();
    return !socket.writableNeedDrain;
  }

  /** Starts the wait for the next byte anew, with this limit. */
  arm(timeoutMs: number): void {
    this.#timer.arm(timeoutMs);
  }

  /** The upstream's own limit may shorten the wait, never lengthen it. */
  shortenIdle(limitMs: number): void {
    this.idleMs = Math.min(this.#pool.target.keepalive.idleTimeoutMs, limitMs);
  }

  /** Stops reading until {@link Connection.resume}. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Ends the connection now; an exchange on it fails with `error`. */
  destroy(error: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isOpen = false;
    this.#timer.stop();
    this.parser.stop();
    const user = this.user;
    this.user = undefined;
    if (this.#socket === undefined) this.#pool.onClosed(this);
    else this.#socket.destroy();
    user?.onBroken(error);
  }

  #onOpen(): void {
    if (this.#isClosed) return;
    this.#isOpen = true;
    this.user?.onOpen();
  }

  #onBytes(bytes: Buffer): void {
    if (this.#isClosed) return;
    this.#timer.touch();
    // Nothing was asked: whatever this is, it must not be taken for an answer to the next request.
    if (this.user === undefined) this.#retire("the upstream sent data that nobody asked for");
    else this.user.onBytes(bytes);
  }

  #onEnd(): void {
    // Before the connection stands, its close says more.
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.user === undefined) this.#retire("the upstream closed the connection");
    else this.user.onEnd();
  }

  #onInactive(): void {
    if (this.user === undefined) this.#retire("the connection was idle for too long");
    else this.user.onInactive();
  }

  #retire(why: string): void {
    this.#pool.forget(this);
    this.destroy(new Error(why));
  }

  #onClose(): void {
    if (!this.#isClosed) {
      this.#pool.forget(this);
      this.destroy(new Error("the connection was closed"));
    }
    this.#pool.onClosed(this);
  }
}

function writePiece(socket: Socket, piece: string | Uint8Array): boolean {
  return typeof piece === "string" ? socket.write(piece, "latin1") : socket.write(piece);
}
