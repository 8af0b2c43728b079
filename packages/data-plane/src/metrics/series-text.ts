import type { DisabledLabels, RequestMetric } from "./disabled-labels.ts";
import { LATENCY_BUCKETS_MS, type LatencySeries } from "./latency.ts";
import type { RequestSeries, RequestStats, SeriesLabels } from "./request-stats.ts";

/** How the request metrics are written. */
export interface SeriesTextOptions {
  /** What names of metrics start with. */
  readonly prefix: string;
  readonly disabled: DisabledLabels;
}

/**
 * The request metrics in Prometheus' text format, made from the plain counters when somebody scrapes. Names, labels
 * and buckets are APISIX's (prometheus plugin). Groups of requests that differ in no label of a metric are one series
 * of it.
 */
export function renderRequestSeries(stats: RequestStats, { disabled, prefix }: SeriesTextOptions): string {
  const all = [...stats.series()];
  const status = new Family("http_status", { prefix, disabled });
  const latency = new Family("http_latency", { prefix, disabled });
  const bandwidth = new Family("bandwidth", { prefix, disabled });
  for (const series of all) {
    addStatuses(status, series);
    addLatencies(latency, series);
    addBandwidth(bandwidth, series);
  }
  return [
    status.render("counter", "HTTP status codes per service in APISIX"),
    latency.render("histogram", "HTTP request latency in milliseconds per service in APISIX"),
    bandwidth.render("counter", "Total bandwidth in bytes consumed per service in APISIX"),
  ].join("");
}

/** The samples of one metric. */
class Family {
  readonly #name: string;
  readonly #disabled: ReadonlySet<string>;
  readonly #samples = new Map<string, number>();

  constructor(metric: RequestMetric, { disabled, prefix }: SeriesTextOptions) {
    this.#name = `${prefix}${metric}`;
    this.#disabled = new Set(disabled[metric]);
  }

  /** A label as the text format wants it. */
  label(name: string, value: string): string {
    return `${name}="${this.#disabled.has(name) ? "" : escaped(value)}"`;
  }

  /** Adds to a sample; `ending` follows the metric's name. */
  add(labels: string, value: number, ending = ""): void {
    const key = `${this.#name}${ending}{${labels}}`;
    this.#samples.set(key, (this.#samples.get(key) ?? 0) + value);
  }

  render(type: "counter" | "histogram", help: string): string {
    let text = `# HELP ${this.#name} ${help}\n# TYPE ${this.#name} ${type}\n`;
    for (const [key, value] of this.#samples) text += `${key} ${value}\n`;
    return text;
  }
}

function addStatuses(family: Family, { labels, statuses }: RequestSeries): void {
  const own = `${family.label("matched_uri", labels.matchedUri)},${family.label("matched_host", labels.matchedHost)}`;
  const rest = `${own},${commonLabels(family, labels)},${family.label("response_source", labels.source)}`;
  for (const [code, count] of statuses) family.add(`code="${code}",${rest}`, count);
}

function addLatencies(family: Family, series: RequestSeries): void {
  const common = commonLabels(family, series.labels);
  addHistogram(family, series.requestLatency, `type="request",${common}`);
  addHistogram(family, series.gatewayLatency, `type="apisix",${common}`);
  if (series.hasUpstream) addHistogram(family, series.upstreamLatency, `type="upstream",${common}`);
}

function addHistogram(family: Family, { counts, sumMs }: LatencySeries, labels: string): void {
  let total = 0;
  for (const [index, count] of counts.entries()) {
    total += count;
    family.add(`${labels},le="${LATENCY_BUCKETS_MS[index] ?? "+Inf"}"`, total, "_bucket");
  }
  family.add(labels, sumMs, "_sum");
  family.add(labels, total, "_count");
}

function addBandwidth(family: Family, { egressBytes, ingressBytes, labels }: RequestSeries): void {
  const common = commonLabels(family, labels);
  family.add(`type="ingress",${common}`, ingressBytes);
  family.add(`type="egress",${common}`, egressBytes);
}

function commonLabels(family: Family, { consumer, node, route, service }: SeriesLabels): string {
  return [
    family.label("route", route),
    family.label("service", service),
    family.label("consumer", consumer),
    family.label("node", node),
    family.label("request_type", "traditional_http"),
    family.label("request_llm_model", ""),
    family.label("llm_model", ""),
  ].join(",");
}

/** Label values as the text format wants them. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
