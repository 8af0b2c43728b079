import type { DisabledLabels } from "./disabled-labels.ts";
import type { LatencySeries } from "./latency.ts";
import type { ExtraLabel, RequestMetric, RequestMetricsFormat } from "./request-metrics.ts";
import type { RequestSeries, SeriesLabels } from "./request-series.ts";
import type { RequestStats } from "./request-stats.ts";

/**
 * The request metrics in Prometheus' text format, made from the plain counters when somebody scrapes. Names, labels
 * and buckets are APISIX's (prometheus plugin). Groups of requests that differ in no label of a metric are one series
 * of it.
 */
export function renderRequestSeries(stats: RequestStats, disabled: DisabledLabels): string {
  const { format } = stats;
  const status = new Family("http_status", format, disabled);
  const latency = new Family("http_latency", format, disabled);
  const bandwidth = new Family("bandwidth", format, disabled);
  for (const series of stats.series()) {
    addStatuses(status, series);
    if (series.hasLatency) addLatencies(latency, series, format.boundsMs);
    if (series.hasBandwidth) addBandwidth(bandwidth, series);
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
  readonly #extraLabels: readonly ExtraLabel[];
  readonly #samples = new Map<string, number>();

  constructor(metric: RequestMetric, { extraLabels, prefix }: RequestMetricsFormat, disabled: DisabledLabels) {
    this.#name = `${prefix}${metric}`;
    this.#disabled = new Set(disabled[metric]);
    this.#extraLabels = extraLabels[metric];
  }

  /** A label as the text format wants it. */
  label(name: string, value: string): string {
    return `${name}="${this.#disabled.has(name) ? "" : escaped(value)}"`;
  }

  /** The labels that the configuration adds, each after a comma. */
  extra({ extra }: SeriesLabels): string {
    return this.#extraLabels.map(({ index, name }) => `,${name}="${escaped(extra[index] ?? "")}"`).join("");
  }

  /** Adds to a sample; `ending` follows the metric's name. */
  add(labels: string, value: number, ending = ""): void {
    const key = `${this.#name}${ending}{${labels}}`;
    this.#samples.set(key, (this.#samples.get(key) ?? 0) + value);
  }

  /** The metric with its samples; empty without any, as in APISIX. */
  render(type: "counter" | "histogram", help: string): string {
    if (this.#samples.size === 0) return "";
    let text = `# HELP ${this.#name} ${help}\n# TYPE ${this.#name} ${type}\n`;
    for (const [key, value] of this.#samples) text += `${key} ${value}\n`;
    return text;
  }
}

/** APISIX's order of labels, in which its users' queries and tests have them. */
function addStatuses(family: Family, { labels, statuses }: RequestSeries): void {
  const rest = [
    family.label("route", labels.route),
    family.label("matched_uri", labels.matchedUri),
    family.label("matched_host", labels.matchedHost),
    ...callLabels(family, labels),
    family.label("response_source", labels.source),
  ].join(",");
  const extra = family.extra(labels);
  for (const [code, { count }] of statuses) family.add(`code="${code}",${rest}${extra}`, count);
}

function addLatencies(family: Family, series: RequestSeries, boundsMs: readonly number[]): void {
  const common = commonLabels(family, series.labels) + family.extra(series.labels);
  const add = (type: string, one: LatencySeries): void =>
    addHistogram(family, one, { labels: `type="${type}",${common}`, boundsMs });
  add("request", series.requestLatency);
  add("apisix", series.gatewayLatency);
  if (series.hasUpstream) add("upstream", series.upstreamLatency);
}

function addHistogram(
  family: Family,
  { counts, sumMs }: LatencySeries,
  { boundsMs, labels }: { readonly labels: string; readonly boundsMs: readonly number[] },
): void {
  let total = 0;
  for (const [index, count] of counts.entries()) {
    total += count;
    family.add(`${labels},le="${boundsMs[index] ?? "+Inf"}"`, total, "_bucket");
  }
  family.add(labels, sumMs, "_sum");
  family.add(labels, total, "_count");
}

function addBandwidth(family: Family, { egressBytes, ingressBytes, labels }: RequestSeries): void {
  const common = commonLabels(family, labels) + family.extra(labels);
  family.add(`type="ingress",${common}`, ingressBytes);
  family.add(`type="egress",${common}`, egressBytes);
}

function commonLabels(family: Family, labels: SeriesLabels): string {
  return [family.label("route", labels.route), ...callLabels(family, labels)].join(",");
}

function callLabels(family: Family, { consumer, node, service }: SeriesLabels): readonly string[] {
  return [
    family.label("service", service),
    family.label("consumer", consumer),
    family.label("node", node),
    family.label("request_type", "traditional_http"),
    family.label("request_llm_model", ""),
    family.label("llm_model", ""),
  ];
}

/** Label values as the text format wants them. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
