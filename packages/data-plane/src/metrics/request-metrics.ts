import type { RequestMetricsOptions } from "../options.ts";
import { LATENCY_BUCKETS_MS } from "./latency.ts";

/** The metrics about requests, without prefix. */
export const REQUEST_METRICS = ["http_status", "http_latency", "bandwidth"] as const;

/** One of {@link REQUEST_METRICS}. */
export type RequestMetric = (typeof REQUEST_METRICS)[number];

/** A label beside those that a metric has anyway. */
export interface ExtraLabel {
  readonly name: string;
  /** Index of its value among those of a series. */
  readonly index: number;
}

/** How requests are counted and written, ready for use. */
export interface RequestMetricsFormat {
  readonly prefix: string;
  /** Ascending, milliseconds. */
  readonly boundsMs: readonly number[];
  /** Names of all variables that are labels, each once. */
  readonly variables: readonly string[];
  readonly extraLabels: Readonly<Record<RequestMetric, readonly ExtraLabel[]>>;
  /** Milliseconds without a request after which a series goes; absent: never. */
  readonly expiryMs: Readonly<Record<RequestMetric, number | undefined>>;
}

/** Brings the options into the form that requests and scrapes use. */
export function compileRequestMetrics(options: RequestMetricsOptions = {}): RequestMetricsFormat {
  const { series = {} } = options;
  const labelsOf = (metric: RequestMetric) => series[metric]?.extraLabels ?? [];
  const variables = [...new Set(REQUEST_METRICS.flatMap((metric) => labelsOf(metric).map(({ variable }) => variable)))];
  const extraOf = (metric: RequestMetric): readonly ExtraLabel[] =>
    labelsOf(metric).map(({ name, variable }) => ({ name, index: variables.indexOf(variable) }));
  return {
    prefix: options.prefix ?? "apisix_",
    boundsMs: options.latencyBucketsMs ?? LATENCY_BUCKETS_MS,
    variables,
    extraLabels: forEachMetric(extraOf),
    expiryMs: forEachMetric((metric) => series[metric]?.expiryMs),
  };
}

function forEachMetric<TValue>(make: (metric: RequestMetric) => TValue): Readonly<Record<RequestMetric, TValue>> {
  return { http_status: make("http_status"), http_latency: make("http_latency"), bandwidth: make("bandwidth") };
}
