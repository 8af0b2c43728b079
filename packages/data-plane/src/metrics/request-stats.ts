import type { ResponseSource, SeriesNames } from "@fngate/plugin-kit";
import type { ExchangeContext } from "../http/exchange-context.ts";
import { LatencySeries } from "./latency.ts";

/** Labels of one group of requests. */
export interface SeriesLabels {
  readonly route: string;
  readonly matchedUri: string;
  readonly matchedHost: string;
  readonly service: string;
  /** Empty unless a plugin said whose request it was. */
  readonly consumer: string;
  /** Address without port; empty for functions and own answers. */
  readonly node: string;
  /** APISIX's `response_source`: `apisix`, `nginx` or `upstream`. */
  readonly source: string;
}

/** Counters of one group of requests: plain numbers that a request bumps and a scrape reads. */
export class RequestSeries {
  readonly labels: SeriesLabels;
  readonly statuses = new Map<number, number>();
  readonly requestLatency = new LatencySeries();
  readonly upstreamLatency = new LatencySeries();
  readonly gatewayLatency = new LatencySeries();
  ingressBytes = 0;
  egressBytes = 0;
  hasUpstream = false;

  constructor(labels: SeriesLabels) {
    this.labels = labels;
  }

  record(context: ExchangeContext): void {
    const { status, source } = context.response;
    const { totalMs, upstreamMs } = context.timings;
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    this.requestLatency.observe(totalMs);
    // A function's time counts as the gateway's own, as in APISIX.
    const isUpstream = source === "upstream" && upstreamMs !== undefined;
    if (isUpstream) {
      this.hasUpstream = true;
      this.upstreamLatency.observe(upstreamMs);
    }
    this.gatewayLatency.observe(isUpstream ? Math.max(0, totalMs - upstreamMs) : totalMs);
    this.ingressBytes += context.bytesReceived;
    this.egressBytes += context.bytesSent;
  }
}

/** Most callers and names that one route's requests are told apart by; those beyond are counted without. */
const MOST_NAMES = 1_000;

/** Series of one route, by names, matched pattern, node and source; bounded, whatever clients send. */
class RouteSeries {
  readonly #unnamed: RequestSeries[] = [];
  readonly #named = new Map<string, RequestSeries[]>();

  find(context: ExchangeContext, source: string): RequestSeries {
    const { route, seriesNames } = context;
    const named = seriesNames && this.#listOf(seriesNames);
    const list = named ?? this.#unnamed;
    const names = named && seriesNames;
    const service = names?.service ?? route?.serviceId ?? "";
    const node = nodeOf(context.upstreamAddress);
    const matchedUri = route?.uri ?? "";
    const matchedHost = route?.host ?? "";
    for (const series of list) {
      const { labels } = series;
      const isSame = labels.matchedUri === matchedUri && labels.node === node && labels.source === source;
      if (isSame && labels.matchedHost === matchedHost && labels.service === service) return series;
    }
    const whose = { route: names?.route ?? route?.id ?? "", service, consumer: names?.consumer ?? "" };
    const series = new RequestSeries({ ...whose, matchedUri, matchedHost, node, source });
    list.push(series);
    return series;
  }

  *all(): IterableIterator<RequestSeries> {
    yield* this.#unnamed;
    for (const list of this.#named.values()) yield* list;
  }

  #listOf({ consumer, route, service }: SeriesNames): RequestSeries[] | undefined {
    const key = `${consumer}\n${service}\n${route}`;
    let list = this.#named.get(key);
    if (list === undefined && this.#named.size < MOST_NAMES) {
      list = [];
      this.#named.set(key, list);
    }
    return list;
  }
}

/** Why upstreams and functions failed, by reason. */
export type FailureSide = "upstream" | "function";

/** A phase that threw, or one that was not done in time. */
export type PluginFailure = "error" | "timeout";

/** All request counters of a data plane. */
export class RequestStats {
  readonly #routes = new Map<string, RouteSeries>();
  readonly failures: Readonly<Record<FailureSide, Map<string, number>>> = {
    upstream: new Map(),
    function: new Map(),
  };
  /** Of phases, by plugin. */
  readonly pluginFailures = new Map<string, Record<PluginFailure, number>>();
  totalRequests = 0;

  /** Counts a finished request. */
  record(context: ExchangeContext): void {
    const id = context.route?.id ?? "";
    let route = this.#routes.get(id);
    if (route === undefined) {
      route = new RouteSeries();
      this.#routes.set(id, route);
    }
    route.find(context, sourceLabel(context)).record(context);
  }

  countFailure(side: FailureSide, reason: string): void {
    const counts = this.failures[side];
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }

  /** Counts a request that a plugin spoiled. */
  countPluginFailure(plugin: string, reason: PluginFailure): void {
    let counts = this.pluginFailures.get(plugin);
    if (counts === undefined) {
      counts = { error: 0, timeout: 0 };
      this.pluginFailures.set(plugin, counts);
    }
    counts[reason] += 1;
  }

  /** Drops a deleted route's series, so that routes that come and go do not add up. */
  forget(routeId: string): void {
    this.#routes.delete(routeId);
  }

  *series(): IterableIterator<RequestSeries> {
    for (const route of this.#routes.values()) yield* route.all();
  }
}

const SOURCES: Readonly<Record<ResponseSource, string>> = {
  gateway: "apisix",
  function: "apisix",
  upstream: "upstream",
};

/** `nginx` is APISIX's word for a proxied request that failed before an answer's head. */
function sourceLabel(context: ExchangeContext): string {
  const { source } = context.response;
  return source === "gateway" && context.upstreamStatus !== "" ? "nginx" : SOURCES[source];
}

function nodeOf(address: string): string {
  const colon = address.lastIndexOf(":");
  return colon < 0 ? address : address.slice(0, colon);
}
