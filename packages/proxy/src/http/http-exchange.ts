import type { TargetTimeouts } from "@fngate/kernel";
import type { AttemptOutcome, AttemptTrace, Exchange, OutgoingRequest, ResponseSink } from "../exchange.ts";
import type { AnswerHead } from "./answer-head.ts";
import type { AnswerHandler } from "./answer-parser.ts";
import { type BodyOutput, type BodyPump, createBodyPump } from "./body-pump.ts";
import type { Connection, ConnectionUser } from "./connection.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { InactivityError, RequestBodyError, reasonOf } from "./failure.ts";
import { renderRequestHead, usuallyHasBody } from "./request-head.ts";

/** Methods that may be sent again although the upstream may have seen them (RFC 9110 section 9.2.1: safe). */
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** A connection is given up this long before the upstream does, so that no request crosses its end. */
const KEEP_ALIVE_MARGIN_MS = 1_000;

/** Where an exchange stands; the order is the order of time. */
const PENDING = 0;
const SENDING = 1;
const WAITING = 2;
const RECEIVING = 3;
const DONE = 4;
type Phase = typeof PENDING | typeof SENDING | typeof WAITING | typeof RECEIVING | typeof DONE;

/** Pool and limits of one endpoint. */
export interface Route {
  readonly pool: ConnectionPool;
  readonly timeouts: TargetTimeouts;
}

/**
 * One request and its answer. It is handler of its connection, parser and body at once, so that an exchange without
 * failure costs one object and one promise.
 */
export class HttpExchange implements Exchange, ConnectionUser, AnswerHandler, BodyOutput {
  readonly outcome: Promise<AttemptOutcome>;
  #settle!: (outcome: AttemptOutcome) => void;
  readonly #route: Route;
  readonly #request: OutgoingRequest;
  readonly #sink: ResponseSink;
  readonly #trace: AttemptTrace | undefined;
  #connection: Connection | undefined;
  #head = "";
  #body: BodyPump | undefined;
  #phase: Phase = PENDING;
  #status = 0;
  /** The connection had carried a request before this one. */
  #isReused = false;
  /** Something of an answer arrived, were it an interim one. */
  #isAnswered = false;
  #isSent = false;
  #isPaused = false;

  constructor(route: Route, request: OutgoingRequest, sink: ResponseSink) {
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#route = route;
    this.#request = request;
    this.#sink = sink;
    this.#trace = request.trace;
    try {
      this.#head = renderRequestHead(request, route.pool.hostHeader);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#use(route.pool.acquire(this, route.timeouts.connectMs));
  }

  cancel(): void {
    if (this.#phase === DONE) return;
    this.#close(new Error("exchange cancelled"));
    this.#settle({ kind: "cancelled" });
  }

  onOpen(): void {
    const { body, method } = this.#request;
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#isReused = connection.served > 0;
    connection.served += 1;
    this.#phase = SENDING;
    this.#trace?.onConnected();
    connection.parser.begin(this, method === "HEAD");
    const isUnusual = body.kind !== "none" && !usuallyHasBody(method);
    // An upstream that overlooks such a body would take it for the next request.
    const head = isUnusual ? `${this.#head}connection: close\r\n` : this.#head;
    this.#body = createBodyPump(body, { head, output: this });
    if (this.#body !== undefined) {
      connection.arm(this.#route.timeouts.sendMs);
      this.#body.start();
    } else {
      const end = usuallyHasBody(method) ? "content-length: 0\r\n\r\n" : "\r\n";
      connection.write([head + end]);
      this.#trace?.onSent(head.length + end.length);
      this.onBodySent();
    }
  }

  onBytes(bytes: Buffer): void {
    this.#isAnswered = true;
    this.#trace?.onReceived(bytes.length);
    try {
      this.#connection?.parser.push(bytes);
    } catch (error) {
      this.#fail(error);
    }
  }

  onWritable(): void {
    if (this.#phase === SENDING) this.#connection?.arm(this.#route.timeouts.sendMs);
    this.#body?.resume();
  }

  onEnd(): void {
    if (this.#connection?.parser.finish() !== true) this.#fail(new Error("the upstream closed the connection"));
  }

  onBroken(error: Error): void {
    this.#fail(error);
  }

  onInactive(): void {
    if (this.#isPaused || this.#phase === DONE) return;
    const isSending = this.#phase === SENDING;
    // A client that sends slowly is not the upstream's fault: its own server bounds that wait.
    if (isSending && this.#connection?.isCongested !== true) {
      this.#connection?.arm(this.#route.timeouts.sendMs);
      return;
    }
    this.#fail(
      new InactivityError(`upstream ${this.#route.pool.origin} ${isSending ? "took" : "sent"} no data in time`),
    );
  }

  onHead(head: AnswerHead): void {
    const connection = this.#connection;
    // From the end of the request on this limit is in force already.
    if (this.#phase === SENDING) connection?.arm(this.#route.timeouts.readMs);
    this.#phase = RECEIVING;
    this.#status = head.status;
    if (head.keepAliveSeconds >= 0) connection?.shortenIdle(head.keepAliveSeconds * 1_000 - KEEP_ALIVE_MARGIN_MS);
    this.#sink.head(head.status, head.reason, head.headers);
  }

  onBody(view: Buffer): void {
    // The view is gone with the next read; whoever takes the chunk may keep it.
    if (this.#sink.write(Buffer.from(view)) || this.#isPaused || this.#phase === DONE) return;
    this.#isPaused = true;
    this.#connection?.pause();
    this.#sink.onDrain(() => this.#onDrain());
  }

  onAnswerEnd(isReusable: boolean): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (this.#isPaused) connection.resume();
    const isUnusual = this.#request.body.kind !== "none" && !usuallyHasBody(this.#request.method);
    if (isReusable && this.#isSent && !isUnusual) {
      this.#phase = DONE;
      this.#connection = undefined;
      this.#route.pool.release(connection);
    } else this.#close(new Error("the connection cannot be used again"));
    this.#sink.end();
    this.#settle({ kind: "responded", status: this.#status });
  }

  write(...pieces: readonly (string | Uint8Array)[]): boolean {
    if (this.#connection === undefined) return true;
    if (this.#phase === SENDING) this.#connection.arm(this.#route.timeouts.sendMs);
    // Texts are of one byte per character.
    if (this.#trace !== undefined) for (const { length } of pieces) this.#trace.onSent(length);
    return this.#connection.write(pieces);
  }

  onBodySent(): void {
    this.#isSent = true;
    if (this.#phase !== SENDING) return;
    this.#phase = WAITING;
    this.#connection?.arm(this.#route.timeouts.readMs);
  }

  onBodyFailed(error: Error): void {
    this.#fail(error);
  }

  #use(connection: Connection): void {
    this.#connection = connection;
    if (connection.isOpen) this.onOpen();
  }

  #fail(cause: unknown): void {
    if (this.#phase === DONE) return;
    const error = cause instanceof Error ? cause : new Error("exchange failed", { cause });
    if (this.#canRepeat(error)) {
      this.#repeat(error);
      return;
    }
    const outcome = this.#outcomeOf(error);
    this.#close(error);
    this.#settle(outcome);
  }

  /** A kept connection may die just as it is used: that says nothing about the upstream. */
  #canRepeat(error: Error): boolean {
    if (!this.#isReused || this.#isAnswered) return false;
    if (this.#request.body.kind !== "none" || !REPEATABLE.has(this.#request.method)) return false;
    return reasonOf(error) === "reset" && !this.#route.pool.isDestroyed;
  }

  #repeat(error: Error): void {
    this.#release(error);
    this.#phase = PENDING;
    this.#isReused = false;
    this.#isSent = false;
    this.#use(this.#route.pool.acquireFresh(this, this.#route.timeouts.connectMs));
  }

  /** The exchange is over and its connection with it. */
  #close(error: Error): void {
    this.#phase = DONE;
    this.#body?.detach();
    this.#release(error);
  }

  #release(error: Error): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    connection.user = undefined;
    connection.destroy(error);
  }

  #onDrain(): void {
    if (this.#phase === DONE || !this.#isPaused) return;
    this.#isPaused = false;
    this.#connection?.arm(this.#route.timeouts.readMs);
    this.#connection?.resume();
  }

  #outcomeOf(error: Error): AttemptOutcome {
    const cause = error instanceof RequestBodyError && error.cause instanceof Error ? error.cause : error;
    const reason = reasonOf(error);
    if (this.#phase === RECEIVING) {
      return { kind: "truncated", status: this.#status, failure: { reason, isUnsent: false, cause } };
    }
    return { kind: "failed", failure: { reason, isUnsent: this.#phase === PENDING, cause } };
  }
}
