import type { CompiledUpstream, UpgradeOutcome } from "@fngate/proxy";
import type { UpgradeHandover } from "./client-exchange.ts";
import type { ExchangeRun } from "./exchange-run.ts";
import { upstreamHeaders, upstreamTarget } from "./upstream-request.ts";

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
    const { request } = run.context;
    const node = this.#upstream.pick(undefined);
    if (node === undefined) {
      run.fail(503, "no-nodes");
      return;
    }
    const host = node.hostHeader ?? (request.rawHost === "" ? node.address : request.rawHost);
    run.context.upstreamAddress = node.address;
    run.context.upstreamScheme = this.#upstream.scheme;
    this.#upgrade.detach();
    const tunnel = run.deps.tunnel.open(node.endpointFor(host), {
      request: this.#upgrade.request,
      socket: this.#upgrade.socket,
      head: this.#upgrade.head,
      target: upstreamTarget(request),
      headers: ["Host", host, ...upstreamHeaders(request)],
    });
    run.running = tunnel;
    tunnel.outcome.then((outcome) => this.#settle(outcome)).catch((error: unknown) => run.crash(error));
  }

  #settle(outcome: UpgradeOutcome): void {
    const { context, deps } = this.#run;
    this.#run.running = undefined;
    context.response.status = outcome.kind === "cancelled" ? 499 : outcome.status;
    if (outcome.kind === "failed") {
      const { cause, reason } = outcome.failure;
      deps.stats.countFailure("upstream", reason);
      deps.logger.error({ route: context.route?.id, reason, cause: cause.message }, "upstream failed");
    } else if (outcome.kind !== "cancelled") context.response.source = "upstream";
    context.upstreamStatus = String(context.response.status);
    this.#upgrade.finish(outcome.kind !== "cancelled");
  }
}
