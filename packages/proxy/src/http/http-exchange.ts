import type { TargetTimeouts } from "@fngate/kernel";
import type { Dispatcher } from "undici";
import type { AttemptOutcome, Exchange, OutgoingRequest, ResponseSink } from "../exchange.ts";
import { responseHeaders } from "../headers/response-headers.ts";
import type { Connection, ConnectionUser } from "./connection.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { BadResponseError, InactivityError, reasonOf } from "./failure.ts";
import { RequestBody, type WireBody, wireBodyOf } from "./request-body.ts";

/** Methods that may be sent again although the upstream may have seen them (RFC 9110 section 9.2.1: safe). */
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/**
 * Methods whose requests usually have a body. Other requests that carry one end their connection: an upstream that
 * overlooks the body would take it for the next request.
 */
const METHODS_WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "QUERY", "PROPFIND", "PROPPATCH"]);

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

/** What undici's `dispatch` takes; its types leave `servername` out. */
interface DispatchRequest extends Dispatcher.DispatchOptions {
  readonly servername: string;
}

/**
 * One request and its answer. It is its own undici handler, so that an exchange without failure costs one object
 * and one promise.
 */
export class HttpExchange implements Exchange, ConnectionUser, Dispatcher.DispatchHandler {
  readonly outcome: Promise<AttemptOutcome>;
  #settle!: (outcome: AttemptOutcome) => void;
  readonly #route: Route;
  readonly #request: OutgoingRequest;
  readonly #sink: ResponseSink;
  #connection: Connection;
  #controller: Dispatcher.DispatchController | undefined;
  #body: WireBody = null;
  #phase: Phase = PENDING;
  #status = 0;
  /** The connection had carried a request before this one. */
  #isReused = false;
  /** Something of an answer arrived, were it an interim one. */
  #isAnswered = false;
  #isCancelled = false;
  #isPaused = false;
  #resume: (() => void) | undefined;

  constructor(route: Route, request: OutgoingRequest, sink: ResponseSink) {
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#route = route;
    this.#request = request;
    this.#sink = sink;
    this.#connection = route.pool.acquire();
    this.#dispatch();
  }

  cancel(): void {
    if (this.#phase === DONE || this.#isCancelled) return;
    this.#isCancelled = true;
    this.#abort(new Error("exchange cancelled"));
  }

  onInactive(): void {
    if (this.#isPaused || this.#phase === DONE) return;
    // A client that sends slowly is not the upstream's fault: its own server bounds that wait.
    if (this.#phase === SENDING && this.#connection.socket?.writableNeedDrain !== true) {
      this.#connection.arm(this.#route.timeouts.sendMs);
      return;
    }
    const what = this.#phase === SENDING ? "took" : "sent";
    this.#abort(new InactivityError(`upstream ${this.#route.pool.origin} ${what} no data in time`));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const connection = this.#connection;
    this.#controller = controller;
    this.#isReused = connection.served > 0;
    connection.served += 1;
    this.#phase = SENDING;
    if (this.#body instanceof RequestBody) connection.arm(this.#route.timeouts.sendMs);
  }

  onBodySent(): void {
    if (this.#phase === SENDING) this.#connection.arm(this.#route.timeouts.sendMs);
  }

  onRequestSent(): void {
    if (this.#phase !== SENDING) return;
    this.#phase = WAITING;
    this.#connection.arm(this.#route.timeouts.readMs);
  }

  onResponseStarted(): void {
    this.#isAnswered = true;
  }

  // biome-ignore lint/complexity/useMaxParams: undici's signature
  onResponseStart(controller: Dispatcher.DispatchController, status: number, _headers: object, reason = ""): void {
    if (status < 200) {
      if (status === 101) controller.abort(new BadResponseError("upstream switched protocols without being asked"));
      return;
    }
    this.#phase = RECEIVING;
    this.#status = status;
    this.#connection.arm(this.#route.timeouts.readMs);
    const raw = controller.rawHeaders;
    this.#sink.head(status, reason, Array.isArray(raw) ? responseHeaders(raw) : []);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#connection.arm(this.#route.timeouts.readMs);
    if (this.#sink.write(chunk)) return;
    controller.pause();
    this.#isPaused = true;
    this.#resume ??= () => this.#onDrain();
    this.#sink.onDrain(this.#resume);
  }

  onResponseEnd(): void {
    if (this.#phase === DONE) return;
    this.#finish();
    this.#route.pool.release(this.#connection);
    this.#sink.end();
    this.#settle({ kind: "responded", status: this.#status });
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#phase === DONE) return;
    if (this.#canRepeat(error)) {
      this.#repeat(error);
      return;
    }
    const outcome = this.#outcomeOf(error);
    const isRefusedByUs = this.#phase === PENDING && reasonOf(error) === "invalid-request";
    this.#finish();
    // A request that undici turned down never touched the connection.
    if (isRefusedByUs && this.#connection.socket !== undefined) this.#route.pool.release(this.#connection);
    else this.#connection.destroy(error);
    if (this.#body instanceof RequestBody) this.#body.destroy();
    this.#settle(outcome);
  }

  #dispatch(): void {
    const { method, target, body } = this.#request;
    const connection = this.#connection;
    connection.user = this;
    connection.connectMs = this.#route.timeouts.connectMs;
    this.#body = wireBodyOf(body);
    const options: DispatchRequest = {
      method,
      path: target,
      headers: this.#headers(),
      body: this.#body,
      // For undici: whether this is the connection's last request. Left open it would close after each HEAD.
      reset: this.#body !== null && !METHODS_WITH_BODY.has(method),
      // A constant, else undici derives it from `Host` and reconnects whenever that changes.
      servername: this.#route.pool.target.host,
    };
    connection.client.dispatch(options, this);
  }

  /** The fields, with `Content-Length` where undici cannot see the length itself. */
  #headers(): string[] {
    const { body, headers } = this.#request;
    const flat = headers as string[];
    if (!(this.#body instanceof RequestBody)) return flat;
    const lengthBytes =
      body.kind === "bytes" ? body.bytes.length : body.kind === "stream" ? body.lengthBytes : undefined;
    return lengthBytes === undefined ? flat : [...flat, "content-length", String(lengthBytes)];
  }

  /** A kept connection may die just as it is used: that says nothing about the upstream. */
  #canRepeat(error: Error): boolean {
    if (!this.#isReused || this.#isAnswered || this.#isCancelled) return false;
    if (this.#request.body.kind !== "none" || !REPEATABLE.has(this.#request.method)) return false;
    return !(error instanceof InactivityError) && reasonOf(error) === "reset";
  }

  #repeat(error: Error): void {
    this.#connection.user = undefined;
    this.#connection.destroy(error);
    this.#controller = undefined;
    this.#phase = PENDING;
    this.#isReused = false;
    this.#connection = this.#route.pool.acquireFresh();
    this.#dispatch();
  }

  #abort(error: Error): void {
    if (this.#controller === undefined) this.#connection.destroy(error);
    else this.#controller.abort(error);
  }

  #onDrain(): void {
    if (this.#phase === DONE || !this.#isPaused) return;
    this.#isPaused = false;
    this.#connection.arm(this.#route.timeouts.readMs);
    this.#controller?.resume();
  }

  #finish(): void {
    this.#phase = DONE;
    this.#connection.user = undefined;
  }

  #outcomeOf(error: Error): AttemptOutcome {
    if (this.#isCancelled) return { kind: "cancelled" };
    const bodyError = this.#body instanceof RequestBody ? this.#body.sourceError : undefined;
    const cause = bodyError ?? error;
    const reason =
      bodyError === undefined ? (error instanceof InactivityError ? "timeout" : reasonOf(error)) : "request-body";
    if (this.#phase === RECEIVING) {
      return { kind: "truncated", status: this.#status, failure: { reason, isUnsent: false, cause } };
    }
    return { kind: "failed", failure: { reason, isUnsent: this.#phase === PENDING, cause } };
  }
}
