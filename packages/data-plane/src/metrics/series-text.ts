import { LATENCY_BUCKETS_MS, type LatencySeries } from "./latency.ts";
import type { RequestSeries, RequestStats, SeriesLabels } from "./request-stats.ts";

/**
 * The request metrics in Prometheus' text format, made from the plain counters when somebody scrapes. Names, labels
 * and buckets are APISIX's (prometheus plugin).
 */
export function renderRequestSeries(stats: RequestStats, prefix: string): string {
  const all = [...stats.series()];
  const lines = [
    `# HELP ${prefix}http_status HTTP status codes per service in APISIX`,
    `# TYPE ${prefix}http_status counter`,
    ...all.flatMap((series) => statusLines(series, `${prefix}http_status`)),
    `# HELP ${prefix}http_latency HTTP request latency in milliseconds per service in APISIX`,
    `# TYPE ${prefix}http_latency histogram`,
    ...all.flatMap((series) => latencyLines(series, `${prefix}http_latency`)),
    `# HELP ${prefix}bandwidth Total bandwidth in bytes consumed per service in APISIX`,
    `# TYPE ${prefix}bandwidth counter`,
    ...all.flatMap((series) => bandwidthLines(series, `${prefix}bandwidth`)),
  ];
  return `${lines.join("\n")}\n`;
}

function statusLines(series: RequestSeries, name: string): string[] {
  const { matchedHost, matchedUri, source } = series.labels;
  const own = `matched_uri="${escaped(matchedUri)}",matched_host="${escaped(matchedHost)}"`;
  const common = `${commonLabels(series.labels)},response_source="${source}"`;
  return [...series.statuses].map(([code, count]) => `${name}{code="${code}",${own},${common}} ${count}`);
}

function latencyLines(series: RequestSeries, name: string): string[] {
  const common = commonLabels(series.labels);
  const lines = [
    ...histogramLines(series.requestLatency, name, `type="request",${common}`),
    ...histogramLines(series.gatewayLatency, name, `type="apisix",${common}`),
  ];
  if (series.hasUpstream) lines.push(...histogramLines(series.upstreamLatency, name, `type="upstream",${common}`));
  return lines;
}

function histogramLines(latency: LatencySeries, name: string, labels: string): string[] {
  let total = 0;
  const buckets = latency.counts.map((count, index) => {
    total += count;
    return `${name}_bucket{${labels},le="${LATENCY_BUCKETS_MS[index] ?? "+Inf"}"} ${total}`;
  });
  return [...buckets, `${name}_sum{${labels}} ${latency.sumMs}`, `${name}_count{${labels}} ${total}`];
}

function bandwidthLines(series: RequestSeries, name: string): string[] {
  const common = commonLabels(series.labels);
  return [
    `${name}{type="ingress",${common}} ${series.ingressBytes}`,
    `${name}{type="egress",${common}} ${series.egressBytes}`,
  ];
}

function commonLabels({ node, route, service }: SeriesLabels): string {
  const own = `route="${escaped(route)}",service="${escaped(service)}",consumer="",node="${escaped(node)}"`;
  return `${own},request_type="traditional_http",request_llm_model="",llm_model=""`;
}

/** Label values as the text format wants them. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
