import { type ResponseSource, type SeriesNames, textOf } from "@fngate/plugin-kit";
import type { ExchangeContext } from "../http/exchange-context.ts";
import { compileRequestMetrics, REQUEST_METRICS, type RequestMetricsFormat } from "./request-metrics.ts";
import { RequestSeries } from "./request-series.ts";

/** Most callers, names and extra labels that one route's requests are told apart by; those beyond are counted without. */
const MOST_NAMES = 1_000;

const NONE: readonly string[] = [];

/** Series of one route, by names and extra labels, matched pattern, node and source; bounded, whatever clients send. */
class RouteSeries {
  readonly #format: RequestMetricsFormat;
  readonly #named = new Map<string, RequestSeries[]>();
  /** Requests beyond the bound. */
  readonly #unnamed: RequestSeries[] = [];
  readonly #nameless: readonly string[];

  constructor(format: RequestMetricsFormat) {
    this.#format = format;
    this.#nameless = format.variables.map(() => "");
  }

  find(context: ExchangeContext, names: SeriesNames, source: string): RequestSeries {
    const extra = this.#extraOf(context);
    const list = this.#listOf(names, extra);
    const { route } = context;
    const node = nodeOf(context.upstreamAddress);
    const matchedUri = route?.uri ?? "";
    const matchedHost = route?.host ?? "";
    for (const series of list ?? this.#unnamed) {
      const { labels } = series;
      const isSame = labels.matchedUri === matchedUri && labels.node === node && labels.source === source;
      if (isSame && labels.matchedHost === matchedHost) return series;
    }
    const own = { matchedUri, matchedHost, node, source };
    const ids = { route: route?.id ?? "", service: route?.serviceId ?? "", consumer: "", extra: this.#nameless };
    const labels = list === undefined ? { ...ids, ...own } : { ...names, extra, ...own };
    const series = new RequestSeries(labels, this.#format.boundsMs);
    (list ?? this.#unnamed).push(series);
    return series;
  }

  *all(): IterableIterator<RequestSeries> {
    yield* this.#unnamed;
    for (const list of this.#named.values()) yield* list;
  }

  /** Drops the series that have nothing to tell any more. */
  dropEmpty(): void {
    dropEmpty(this.#unnamed);
    for (const [key, list] of this.#named) {
      dropEmpty(list);
      if (list.length === 0) this.#named.delete(key);
    }
  }

  #extraOf({ variables }: ExchangeContext): readonly string[] {
    const { variables: names } = this.#format;
    return names.length === 0 ? NONE : names.map((name) => textOf(variables.get(name)) ?? "");
  }

  #listOf({ consumer, route, service }: SeriesNames, extra: readonly string[]): RequestSeries[] | undefined {
    const names = `${consumer}\n${service}\n${route}`;
    const key = extra.length === 0 ? names : `${names}\n${JSON.stringify(extra)}`;
    let list = this.#named.get(key);
    if (list === undefined && this.#named.size < MOST_NAMES) {
      list = [];
      this.#named.set(key, list);
    }
    return list;
  }
}

function dropEmpty(list: RequestSeries[]): void {
  for (let index = list.length - 1; index >= 0; index -= 1) if (list[index]?.isEmpty === true) list.splice(index, 1);
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
  readonly format: RequestMetricsFormat;
  totalRequests = 0;

  constructor(format: RequestMetricsFormat = compileRequestMetrics()) {
    this.format = format;
  }

  /** Counts a finished request, if a plugin wants it counted (APISIX: prometheus, on a route or in a global rule). */
  record(context: ExchangeContext): void {
    const { seriesNames } = context;
    if (seriesNames === undefined) return;
    const id = context.route?.id ?? "";
    let route = this.#routes.get(id);
    if (route === undefined) {
      route = new RouteSeries(this.format);
      this.#routes.set(id, route);
    }
    route.find(context, seriesNames, sourceLabel(context)).record(context);
  }

  /** Forgets what has not changed for as long as its metric says. */
  expire(nowMs: number): void {
    const { expiryMs } = this.format;
    const limited = REQUEST_METRICS.flatMap((metric) => {
      const afterMs = expiryMs[metric];
      return afterMs === undefined ? [] : [{ metric, beforeMs: nowMs - afterMs }];
    });
    if (limited.length === 0) return;
    for (const series of this.series()) for (const { beforeMs, metric } of limited) series.expire(metric, beforeMs);
    for (const route of this.#routes.values()) route.dropEmpty();
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
