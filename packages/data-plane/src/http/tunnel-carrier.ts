import { isPending, type PhaseResult } from "@fngate/plugin-kit";
import type { AttemptOutcome, CompiledUpstream, UpgradeOutcome, UpstreamNode } from "@fngate/proxy";
import { hasBeforeProxy, runBeforeProxy } from "./before-proxy.ts";
import type { UpgradeHandover } from "./client-exchange.ts";
import type { ExchangeRun } from "./exchange-run.ts";
import { upstreamHeaders, upstreamTarget } from "./upstream-request.ts";
import { variableReader } from "./variable-reader.ts";

/** Carries a WebSocket to an upstream: one node, no retries, until either side closes (APISIX upstream, WebSocket). */
export class TunnelCarrier {
  readonly #run: ExchangeRun;
  readonly #upstream: CompiledUpstream;
  readonly #upgrade: UpgradeHandover;

  constructor(run: ExchangeRun, upstream: CompiledUpstream, upgrade: UpgradeHandover) {
    this.#run = run;
    this.#upstream = upstream;
    this.#upgrade = upgrade;
  }

  start(): void {
    const run = this.#run;
    const preparing = this.#upstream.prepare();
    if (preparing === undefined) this.#choose();
    else preparing.then(() => this.#choose()).catch((error: unknown) => run.crash(error));
  }

  #choose(): void {
    const run = this.#run;
    if (run.isClosed) return;
    const node = this.#upstream.pick(undefined, variableReader(run.context));
    if (node === undefined) {
      run.noteFailure("upstream", this.#upstream.noNodeReason);
      run.fail(503, this.#upstream.noNodeReason);
      return;
    }
    run.context.upstreamAddress = node.address;
    run.context.upstreamCall = { node };
    if (!hasBeforeProxy(run)) {
      this.#open(node);
      return;
    }
    const result = runBeforeProxy(run);
    if (!isPending(result)) this.#openUnless(result, node);
    else result.then((settled) => this.#openUnless(settled, node)).catch((error: unknown) => run.crash(error));
  }

  #openUnless(answer: PhaseResult, node: UpstreamNode): void {
    if (this.#run.isClosed) return;
    if (answer) this.#run.conclude(answer);
    else this.#open(node);
  }

  #open(node: UpstreamNode): void {
    const run = this.#run;
    const { overrides, request } = run.context;
    const clientHost = overrides?.host ?? request.rawHost;
    const host = node.hostHeader ?? (clientHost === "" ? node.address : clientHost);
    run.context.upstreamScheme = this.#upstream.scheme;
    this.#upgrade.detach();
    const tunnel = run.deps.tunnel.open(node.endpointFor(host), {
      request: this.#upgrade.request,
      socket: this.#upgrade.socket,
      head: this.#upgrade.head,
      target: upstreamTarget(run.context),
      headers: ["Host", host, ...upstreamHeaders(request)],
    });
    run.running = tunnel;
    const noteEnd = this.#observe(node);
    tunnel.outcome
      .then((outcome) => {
        noteEnd(outcome);
        this.#settle(outcome);
      })
      .catch((error: unknown) => run.crash(error));
  }

  /** Tells whoever counts the node's requests that one began; returns how to tell that it ended. */
  #observe(node: UpstreamNode): (outcome: UpgradeOutcome) => void {
    const { clock } = this.#run.deps;
    const { observer } = this.#upstream;
    const startedMs = clock.monotonicMs();
    observer?.onStart(node);
    return (ended) => {
      const outcome = attemptOutcome(ended);
      observer?.onEnd(node, { outcome, tookMs: clock.monotonicMs() - startedMs, isFinal: true });
    };
  }

  #settle(outcome: UpgradeOutcome): void {
    const { context } = this.#run;
    this.#run.running = undefined;
    context.response.status = outcome.kind === "cancelled" ? 499 : outcome.status;
    if (outcome.kind === "failed") {
      this.#run.noteFailure("upstream", outcome.failure.reason, outcome.failure.cause);
    } else if (outcome.kind !== "cancelled") context.response.source = "upstream";
    context.upstreamStatus = String(context.response.status);
    this.#upgrade.finish(outcome.kind !== "cancelled");
  }
}

/** An upgrade in the terms of an attempt. */
function attemptOutcome(outcome: UpgradeOutcome): AttemptOutcome {
  if (outcome.kind === "failed") return { kind: "failed", failure: outcome.failure };
  if (outcome.kind === "cancelled") return outcome;
  return { kind: "responded", status: outcome.status };
}
