import { expect, test } from "vitest";
import { keepCounts, mergeMetrics } from "./merge-metrics.ts";

const family = (name: string, type: string, ...samples: readonly string[]) =>
  [`# HELP ${name} About it`, `# TYPE ${name} ${type}`, ...samples, ""].join("\n");

test.each([
  [
    "counts are added up",
    "x_total",
    "counter",
    ['x_total{a="b c}"} 1'],
    ['x_total{a="b c}"} 2'],
    ['x_total{a="b c}"} 3'],
  ],
  [
    "histograms are added up, bound by bound",
    "h",
    "histogram",
    ['h_bucket{le="1"} 1', 'h_bucket{le="+Inf"} 2', "h_sum 0.5", "h_count 2"],
    ['h_bucket{le="1"} 2', 'h_bucket{le="+Inf"} 2', "h_sum 1.5", "h_count 2"],
    ['h_bucket{le="1"} 3', 'h_bucket{le="+Inf"} 4', "h_sum 2", "h_count 4"],
  ],
  [
    "series of one process stay",
    "x_total",
    "counter",
    ["x_total 1"],
    ['x_total{a="b"} 2'],
    ["x_total 1", 'x_total{a="b"} 2'],
  ],
  ["gauges are added up", "apisix_http_requests_total", "gauge", ["g 4"], ["g 5"], ["g 9"]],
  [
    "what all tell alike is told once",
    "apisix_node_info",
    "gauge",
    ["apisix_node_info 1"],
    ["apisix_node_info 1"],
    ["apisix_node_info 1"],
  ],
  ["one process without etcd is told", "apisix_etcd_reachable", "gauge", ["r 1"], ["r 0"], ["r 0"]],
  ["the oldest configuration counts", "fngate_config_applied_revision", "gauge", ["r 7"], ["r 5"], ["r 5"]],
  [
    "a process's own metrics carry its name",
    "nodejs_x",
    "gauge",
    ["nodejs_x 1", 'nodejs_x{a="b"} 2'],
    ["nodejs_x NaN"],
    ['nodejs_x{worker="0"} 1', 'nodejs_x{worker="0",a="b"} 2', 'nodejs_x{worker="1"} NaN'],
  ],
])("%s", (...[, name, type, first, second, merged]) => {
  const processes = [first, second].map((samples, index) => ({
    worker: String(index),
    text: family(name, type, ...samples),
  }));
  expect(mergeMetrics(processes)).toBe(family(name, type, ...merged));
});

test("of a process that is gone only counts are kept", () => {
  const counts = family("x_total", "counter", "x_total 3") + family("apisix_http_requests_total", "gauge", "g 4");
  const rest =
    family("apisix_nginx_http_current_connections", "gauge", "c 2") +
    family("process_cpu_seconds_total", "counter", "p 1");
  expect(keepCounts(counts + rest)).toBe(counts);
  expect(
    mergeMetrics([
      { worker: "", text: keepCounts(counts) },
      { worker: "0", text: counts },
    ]),
  ).toContain("x_total 6\n");
});
