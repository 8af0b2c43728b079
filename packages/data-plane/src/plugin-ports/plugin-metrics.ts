import type { CounterMetric, GaugeMetric, HistogramMetric, MetricOptions, PluginMetrics } from "@fngate/plugin-kit";
import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** The metrics that plugins declare; they live as long as the data plane, whatever is reloaded. */
export class PluginMetricRegistry implements PluginMetrics {
  readonly registry = new Registry();
  readonly #prefix: string;
  readonly #counters = new Map<string, CounterMetric<string>>();
  readonly #gauges = new Map<string, GaugeMetric<string>>();
  readonly #histograms = new Map<string, HistogramMetric<string>>();

  /** @param prefix what APISIX's metrics are named with in place of `apisix_` */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  counter<TLabel extends string>(name: string, options: MetricOptions<TLabel>): CounterMetric<TLabel> {
    return known(this.#counters, name, () => {
      const counter = new Counter(this.#configOf(name, options));
      return { inc: (labels, by = 1) => counter.inc({ ...labels }, by) };
    });
  }

  gauge<TLabel extends string>(name: string, options: MetricOptions<TLabel>): GaugeMetric<TLabel> {
    return known(this.#gauges, name, () => {
      const gauge = new Gauge(this.#configOf(name, options));
      return {
        set: (labels, value) => gauge.set({ ...labels }, value),
        remove: (labels) => gauge.remove({ ...labels }),
      };
    });
  }

  histogram<TLabel extends string>(
    name: string,
    options: MetricOptions<TLabel> & { readonly buckets: readonly number[] },
  ): HistogramMetric<TLabel> {
    return known(this.#histograms, name, () => {
      const histogram = new Histogram({ ...this.#configOf(name, options), buckets: [...options.buckets] });
      return { observe: (labels, value) => histogram.observe({ ...labels }, value) };
    });
  }

  #configOf(name: string, { help, labels = [] }: MetricOptions<string>) {
    return { name: name.replace(/^apisix_/, this.#prefix), help, labelNames: [...labels], registers: [this.registry] };
  }
}

/** The metric declared under a name before, or a new one. */
function known<TMetric>(metrics: Map<string, TMetric>, name: string, create: () => TMetric): TMetric {
  let metric = metrics.get(name);
  if (metric === undefined) {
    metric = create();
    metrics.set(name, metric);
  }
  return metric;
}
