import type { Endpoint } from "@fngate/kernel";
import { type FunctionCall, isPending, type PhaseResult, type Reply, runRequestPhase } from "@fngate/plugin-kit";
import type { AttemptOutcome, Exchange, OutgoingRequest, ResponseSink } from "@fngate/proxy";
import type { ExchangeRun } from "./exchange-run.ts";
import { headersFor, upstreamTarget } from "./upstream-request.ts";

/** Whether some plugin wants to act between the choice of a node and the call. */
export function hasBeforeProxy({ plan }: ExchangeRun): boolean {
  return plan.filters.global.beforeProxy.length + plan.filters.route.beforeProxy.length > 0;
}

/** Runs the phase: the global rules' plugins, then the route's. */
export function runBeforeProxy({ context, deps, plan }: ExchangeRun): PhaseResult | Promise<PhaseResult> {
  const { global, route } = plan.filters;
  const { pluginDeadlineMs } = deps;
  const runRoute = (): PhaseResult | Promise<PhaseResult> =>
    runRequestPhase(route.beforeProxy, context, pluginDeadlineMs);
  const first = runRequestPhase(global.beforeProxy, context, pluginDeadlineMs);
  if (isPending(first)) return first.then((result) => result ?? runRoute());
  return first ?? runRoute();
}

/** One attempt that plugins look at before it is made. */
export interface HookedAttempt {
  readonly endpoint: Endpoint;
  /** As the attempt loop made it, `Host` first; the rest is made again after the plugins. */
  readonly request: OutgoingRequest;
  readonly sink: ResponseSink;
  /** Takes the answer of a plugin; only before the first attempt. */
  readonly onAnswer: ((answer: Reply | FunctionCall) => void) | undefined;
}

/** An exchange that begins when the plugins are done. */
export class HookedExchange implements Exchange {
  readonly outcome: Promise<AttemptOutcome>;
  readonly #run: ExchangeRun;
  readonly #attempt: HookedAttempt;
  #exchange: Exchange | undefined;
  #isCancelled = false;

  constructor(run: ExchangeRun, attempt: HookedAttempt) {
    this.#run = run;
    this.#attempt = attempt;
    this.outcome = this.#start();
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#exchange?.cancel();
  }

  async #start(): Promise<AttemptOutcome> {
    const { endpoint, onAnswer, request, sink } = this.#attempt;
    const { context, deps } = this.#run;
    try {
      const answer = await runBeforeProxy(this.#run);
      if (this.#isCancelled) return { kind: "cancelled" };
      if (answer && onAnswer !== undefined) {
        onAnswer(answer);
        return { kind: "cancelled" };
      }
    } catch (error) {
      this.#run.crash(error);
      return { kind: "cancelled" };
    }
    const [name = "host", value = ""] = request.headers;
    const changed: OutgoingRequest = {
      ...request,
      method: context.request.method,
      target: upstreamTarget(context),
      headers: [name, value, ...headersFor(context.upstreamScheme, context.request)],
    };
    this.#exchange = deps.forwarder.forward(endpoint, changed, sink);
    return await this.#exchange.outcome;
  }
}
