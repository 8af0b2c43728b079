import type { ExchangeContext } from "../http/exchange-context.ts";
import { LatencySeries } from "./latency.ts";
import type { RequestMetric } from "./request-metrics.ts";

/** Labels of one group of requests. */
export interface SeriesLabels {
  readonly route: string;
  readonly matchedUri: string;
  readonly matchedHost: string;
  readonly service: string;
  readonly consumer: string;
  /** Address without port; empty for functions and own answers. */
  readonly node: string;
  /** APISIX's `response_source`: `apisix`, `nginx` or `upstream`. */
  readonly source: string;
  /** Values of the variables that are labels too, in the order of the configuration. */
  readonly extra: readonly string[];
}

/** Requests of one status, and when the last of them ended, milliseconds since the epoch. */
interface StatusCount {
  count: number;
  lastMs: number;
}

/** Counters of one group of requests: plain numbers that a request bumps and a scrape reads. */
export class RequestSeries {
  readonly labels: SeriesLabels;
  readonly statuses = new Map<number, StatusCount>();
  readonly requestLatency: LatencySeries;
  readonly upstreamLatency: LatencySeries;
  readonly gatewayLatency: LatencySeries;
  ingressBytes = 0;
  egressBytes = 0;
  hasUpstream = false;
  /** False: nothing since the metric expired. */
  hasLatency = false;
  hasBandwidth = false;
  #lastMs = 0;

  constructor(labels: SeriesLabels, boundsMs: readonly number[]) {
    this.labels = labels;
    this.requestLatency = new LatencySeries(boundsMs);
    this.upstreamLatency = new LatencySeries(boundsMs);
    this.gatewayLatency = new LatencySeries(boundsMs);
  }

  /** Whether every metric has expired. */
  get isEmpty(): boolean {
    return this.statuses.size === 0 && !this.hasLatency && !this.hasBandwidth;
  }

  record(context: ExchangeContext): void {
    const { status, source } = context.response;
    const { startedAtMs, totalMs, upstreamMs } = context.timings;
    this.#lastMs = startedAtMs + totalMs;
    this.#countStatus(status);
    this.hasLatency = true;
    this.requestLatency.observe(totalMs);
    // A function's time counts as the gateway's own, as in APISIX.
    const isUpstream = source === "upstream" && upstreamMs !== undefined;
    if (isUpstream) {
      this.hasUpstream = true;
      this.upstreamLatency.observe(upstreamMs);
    }
    this.gatewayLatency.observe(isUpstream ? Math.max(0, totalMs - upstreamMs) : totalMs);
    this.hasBandwidth = true;
    this.ingressBytes += context.traffic.receivedBytes;
    this.egressBytes += context.traffic.sentBytes;
  }

  /** Forgets what a metric has counted until that moment, if nothing came since. */
  expire(metric: RequestMetric, beforeMs: number): void {
    if (metric === "http_status") this.#expireStatuses(beforeMs);
    else if (this.#lastMs >= beforeMs) return;
    else if (metric === "http_latency") this.#resetLatency();
    else this.#resetBandwidth();
  }

  #countStatus(status: number): void {
    const known = this.statuses.get(status);
    if (known === undefined) this.statuses.set(status, { count: 1, lastMs: this.#lastMs });
    else {
      known.count += 1;
      known.lastMs = this.#lastMs;
    }
  }

  #expireStatuses(beforeMs: number): void {
    for (const [status, { lastMs }] of this.statuses) if (lastMs < beforeMs) this.statuses.delete(status);
  }

  #resetLatency(): void {
    this.hasLatency = false;
    this.hasUpstream = false;
    for (const series of [this.requestLatency, this.upstreamLatency, this.gatewayLatency]) series.reset();
  }

  #resetBandwidth(): void {
    this.hasBandwidth = false;
    this.ingressBytes = 0;
    this.egressBytes = 0;
  }
}
