import type { Endpoint } from "@fngate/kernel";
import type { FunctionCall, Reply } from "@fngate/plugin-kit";
import {
  type CompiledUpstream,
  type Exchange,
  type Forwarder,
  forwardToUpstream,
  type OutgoingBody,
  type OutgoingRequest,
  type ResponseSink,
  type UpstreamAttempt,
  type UpstreamExchange,
  type UpstreamResult,
} from "@fngate/proxy";
import { type AnswerOwner, AnswerSink } from "./answer-sink.ts";
import { HookedExchange, hasBeforeProxy } from "./before-proxy.ts";
import type { ExchangeRun } from "./exchange-run.ts";
import { outgoingBody } from "./outgoing-body.ts";
import { renderError } from "./reply.ts";
import { headersFor, upstreamTarget } from "./upstream-request.ts";
import { variableReader } from "./variable-reader.ts";

/**
 * Carries a request to a plain upstream and the answer back. It stands between the attempt loop and the forwarder to
 * know which node is being tried.
 */
export class UpstreamCarrier implements Forwarder, AnswerOwner {
  readonly source = "upstream";
  readonly serverHeader: string;
  readonly charset: string | undefined;
  readonly errorResponse = undefined;
  readonly #run: ExchangeRun;
  readonly #upstream: CompiledUpstream;
  #exchange: UpstreamExchange | undefined = undefined;
  #startedMs = 0;
  /** A plugin answered in place of the upstream. */
  #isReplaced = false;

  constructor(run: ExchangeRun, upstream: CompiledUpstream) {
    this.#run = run;
    this.#upstream = upstream;
    this.serverHeader = run.deps.serverHeader;
    this.charset = run.deps.charset;
  }

  start(): void {
    const body = outgoingBody(this.#run.context.request.body, Number.POSITIVE_INFINITY, false);
    if (body instanceof Promise || body === "too-large") return;
    this.#forward(body);
  }

  forward(endpoint: Endpoint, wanted: OutgoingRequest, sink: ResponseSink): Exchange {
    const { context, deps } = this.#run;
    const trace = context.trace?.begin();
    const request = trace === undefined ? wanted : { ...wanted, trace };
    // `Host` is the first field.
    context.upstreamHost = request.headers[1] ?? "";
    const { host, port } = endpoint.target;
    context.upstreamAddress = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    const isFirst = (this.#exchange?.attempts.length ?? 0) === 0;
    if (!isFirst) {
      context.retryStarts ??= [];
      context.retryStarts.push(deps.clock.monotonicMs());
    }
    if (!hasBeforeProxy(this.#run)) return deps.forwarder.forward(endpoint, request, sink);
    return new HookedExchange(this.#run, {
      endpoint,
      request,
      sink,
      onAnswer: isFirst ? (answer) => this.#replace(answer) : undefined,
    });
  }

  /** The list of all attempts, when the last one is a server error or the configuration asks for it. */
  upstreamStatusField(status: number): string | undefined {
    const earlier = this.#exchange?.attempts ?? [];
    const list = earlier.length === 0 ? String(status) : [...statusesOf(earlier), status].join(", ");
    this.#run.context.upstreamStatus = list;
    return status >= 500 || this.#run.deps.showUpstreamStatus ? list : undefined;
  }

  onAnswerEnd(): void {
    this.#stopTimer();
  }

  onAnswerFailure(error: unknown): void {
    this.#run.crash(error);
  }

  #replace(answer: Reply | FunctionCall): void {
    const { context } = this.#run;
    this.#isReplaced = true;
    context.upstreamAddress = "";
    context.trace?.forgetAttempts();
    this.#run.conclude(answer);
  }

  #forward(body: OutgoingBody): void {
    const run = this.#run;
    const { context, deps } = run;
    const { request } = context;
    context.upstreamScheme = this.#upstream.scheme;
    this.#startedMs = deps.clock.monotonicMs();
    context.upstreamStartedMs = this.#startedMs;
    const exchange = forwardToUpstream({
      upstream: this.#upstream,
      forwarder: this,
      request: {
        method: request.method,
        target: upstreamTarget(context),
        headers: headersFor(this.#upstream.scheme, request),
        body,
      },
      host: context.overrides?.host ?? request.rawHost,
      sink: new AnswerSink(context, run.downstream, this),
      isBodyStreamed: context.overrides?.isBodyStreamed === true,
      variable: this.#upstream.isKeyed ? variableReader(context) : undefined,
    });
    this.#exchange = exchange;
    context.upstreamAttempts = exchange.attempts;
    context.upstreamCall = exchange;
    // A plugin that answered at once has something else running.
    if (!this.#isReplaced) run.running = exchange;
    exchange.result.then((result) => this.#settle(result)).catch((error: unknown) => run.crash(error));
  }

  #settle({ outcome, status, attempts }: UpstreamResult): void {
    const run = this.#run;
    if (this.#isReplaced) {
      run.context.upstreamAttempts = [];
      return;
    }
    run.running = undefined;
    this.#stopTimer();
    if (outcome?.kind === "responded") return;
    if (attempts.length > 0) run.context.upstreamStatus = statusesOf(attempts).join(", ");
    if (outcome?.kind === "cancelled") return;
    const reason = outcome?.failure.reason ?? this.#upstream.noNodeReason;
    run.noteFailure("upstream", reason, outcome?.failure.cause);
    if (outcome?.kind === "truncated") run.downstream.cut();
    else this.#fail(this.#isUnresolvedInline(reason) ? 502 : status, reason, attempts.length > 0);
  }

  /** Names in a plugin's own upstream are looked up by another way in APISIX, which calls that failure 502. */
  #isUnresolvedInline(reason: string): boolean {
    return reason === "unresolved" && this.#run.context.overrides?.isInline === true;
  }

  #stopTimer(): void {
    const { context, deps } = this.#run;
    context.timings.upstreamMs ??= deps.clock.monotonicMs() - this.#startedMs;
  }

  #fail(status: number, reason: string, wasTried: boolean): void {
    // Only a client can break its own body; when it is still there, the request is what was wrong.
    const reply = renderError(status === 499 ? 400 : status, reason);
    if (wasTried) reply.headers.append("X-APISIX-Upstream-Status", this.#run.context.upstreamStatus);
    this.#run.send(reply);
  }
}

function statusesOf(attempts: readonly UpstreamAttempt[]): number[] {
  return attempts.map(({ status }) => status);
}
