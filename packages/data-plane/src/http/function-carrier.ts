import type { AnswerReading, FunctionCall, Reply } from "@fngate/plugin-kit";
import type { AttemptOutcome, OutgoingBody } from "@fngate/proxy";
import { type ErrorResponse, errorResponseOf } from "../compile/plugin-meta.ts";
import { type AnswerOwner, AnswerSink } from "./answer-sink.ts";
import { CollectedAnswer } from "./collected-answer.ts";
import type { ExchangeRun } from "./exchange-run.ts";
import { outgoingBody } from "./outgoing-body.ts";
import { renderError, renderReply } from "./reply.ts";

/** Carries a request to a function and the answer back (APISIX: openfunction). */
export class FunctionCarrier implements AnswerOwner {
  readonly source = "function";
  readonly serverHeader: string;
  readonly charset: string | undefined;
  readonly errorResponse: ErrorResponse | undefined;
  readonly #run: ExchangeRun;
  readonly #call: FunctionCall;
  #startedMs = 0;

  constructor(run: ExchangeRun, call: FunctionCall) {
    this.#run = run;
    this.#call = call;
    this.serverHeader = run.deps.serverHeader;
    this.charset = run.deps.charset;
    this.errorResponse = errorResponseOf(call);
  }

  start(): void {
    const { maxBodyBytes } = this.#call;
    const body = outgoingBody(this.#run.context.request.body, maxBodyBytes, true);
    if (!(body instanceof Promise)) {
      this.#forward(body);
      return;
    }
    body
      .then(
        (settled) => this.#forward(settled),
        () => this.#fail(400, "request-body"),
      )
      .catch((error: unknown) => this.#run.crash(error));
  }

  upstreamStatusField(): undefined {}

  onAnswerEnd(): void {
    this.#stopTimer();
  }

  onAnswerFailure(error: unknown): void {
    this.#run.crash(error);
  }

  #forward(body: OutgoingBody | "too-large"): void {
    const run = this.#run;
    if (run.isClosed) return;
    if (body === "too-large") {
      this.#fail(this.#call.bodyTooLargeStatus, "body-too-large");
      return;
    }
    const { endpoint, method, target, headers, reading } = this.#call;
    const { clock, forwarder } = run.deps;
    const collected = reading && new CollectedAnswer(reading.maxBytes, () => exchange.cancel());
    const sink = collected ?? new AnswerSink(run.context, run.downstream, this);
    this.#startedMs = clock.monotonicMs();
    const exchange = forwarder.forward(endpoint, { method, target, headers: headers.raw, body }, sink);
    run.running = exchange;
    exchange.outcome
      .then((outcome) => {
        if (collected === undefined || reading === undefined) this.#settle(outcome);
        else this.#settleRead(outcome, reading.read, collected);
      })
      .catch((error: unknown) => run.crash(error));
  }

  /** Nothing went out yet: whatever happened can still be answered. */
  #settleRead(outcome: AttemptOutcome, read: AnswerReading["read"], answer: CollectedAnswer): void {
    if (!answer.isTooLarge && outcome.kind !== "responded") {
      this.#settle(outcome.kind === "truncated" ? { kind: "failed", failure: outcome.failure } : outcome);
      return;
    }
    this.#run.running = undefined;
    this.#stopTimer();
    const reply = answer.isTooLarge ? undefined : read(answer.status, answer.body);
    if (reply === undefined) this.#fail(this.#call.failureStatus, "bad-response");
    else this.#run.send(renderReply(this.#shape(reply)));
  }

  #shape(reply: Reply): Reply {
    const body = this.errorResponse;
    return body === undefined || reply.status < 400 ? reply : { ...reply, body };
  }

  #settle(outcome: AttemptOutcome): void {
    const run = this.#run;
    run.running = undefined;
    this.#stopTimer();
    if (outcome.kind === "responded" || outcome.kind === "cancelled") return;
    const { reason, cause } = outcome.failure;
    run.noteFailure("function", reason, cause);
    if (outcome.kind === "truncated") run.downstream.cut();
    else this.#fail(this.#call.failureStatus, reason);
  }

  #stopTimer(): void {
    const { context, deps } = this.#run;
    context.timings.upstreamMs ??= deps.clock.monotonicMs() - this.#startedMs;
  }

  #fail(status: number, reason: string): void {
    const body = this.errorResponse;
    this.#run.context.failureReason ??= reason;
    this.#run.send(body === undefined ? renderError(status, reason) : renderReply({ kind: "reply", status, body }));
  }
}
