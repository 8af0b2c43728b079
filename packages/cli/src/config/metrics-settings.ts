import type { RequestMetricsOptions } from "@fngate/data-plane";
import { type Address, addressOf } from "./address.ts";
import type { ConfigFile } from "./schema.ts";

/** Where the metrics are, and under which path. */
export interface MetricsSettings extends Address {
  readonly uri: string;
}

/** As in APISIX, an explicit list of plugins without prometheus has no metrics listener either. */
export function createMetricsSettings(file: ConfigFile): MetricsSettings | undefined {
  const prometheus = file.plugin_attr?.prometheus;
  const isWanted = file.plugins === undefined || file.plugins.includes("prometheus");
  if (!isWanted || prometheus?.enable_export_server === false) return undefined;
  return {
    ...addressOf(prometheus?.export_addr, 9091),
    uri: prometheus?.export_uri ?? "/apisix/prometheus/metrics",
  };
}

/** How requests are counted. */
export function createRequestMetricsSettings(file: ConfigFile): RequestMetricsOptions {
  const { default_buckets: buckets, metric_prefix: prefix, metrics = {} } = file.plugin_attr?.prometheus ?? {};
  const series = Object.entries(metrics).flatMap(([metric, options]) =>
    options === undefined ? [] : [[metric, metricOptions(options)]],
  );
  return {
    ...(prefix === undefined ? {} : { prefix }),
    ...(buckets === undefined ? {} : { latencyBucketsMs: buckets.toSorted((a, b) => a - b) }),
    series: Object.fromEntries(series),
  };
}

type SeriesOptions = NonNullable<RequestMetricsOptions["series"]>["http_status"];

function metricOptions(options: {
  readonly expire?: number | undefined;
  readonly extra_labels?: readonly Readonly<Record<string, string>>[] | undefined;
}): SeriesOptions {
  const { expire = 0, extra_labels: labels = [] } = options;
  const pairs = labels.flatMap((label) => Object.entries(label));
  return {
    ...(expire === 0 ? {} : { expiryMs: expire * 1000 }),
    extraLabels: pairs.map(([name, variable]) => ({ name, variable: variable.slice(1) })),
  };
}
