import { expect, test } from "vitest";
import type { ExchangeContext } from "../http/exchange-context.ts";
import { compileRequestMetrics } from "./request-metrics.ts";
import { RequestStats } from "./request-stats.ts";
import { renderRequestSeries } from "./series-text.ts";

/** What is counted of a request of route 1 that a plugin counts under a consumer. */
function requestOf(consumer: string, uri = "/*"): ExchangeContext {
  return {
    route: { id: "1", uri, host: "", serviceId: undefined },
    seriesNames: { route: "1", service: "", consumer },
    response: { status: 200, source: "gateway" },
    timings: { startedAtMs: 1_000, totalMs: 3, upstreamMs: undefined },
    upstreamAddress: "",
    upstreamStatus: "",
    traffic: { receivedBytes: 1, sentBytes: 2 },
  } as ExchangeContext;
}

function linesOf(stats: RequestStats, start: string): string[] {
  const text = renderRequestSeries(stats, {});
  return text.split("\n").filter((line) => line.startsWith(start));
}

test("a route is told apart by 1000 consumers, the others are counted together", () => {
  const stats = new RequestStats(compileRequestMetrics({ prefix: "" }));
  for (let index = 0; index < 1_002; index += 1) stats.record(requestOf(`c${index}`));
  stats.record(requestOf("c0"));
  const lines = linesOf(stats, "http_status{");
  const countOf = (consumer: string) =>
    lines
      .find((line) => line.includes(`consumer="${consumer}"`))
      ?.split(" ")
      .at(-1);
  expect(lines).toHaveLength(1_001);
  expect(["c0", "c999", "c1000", ""].map(countOf)).toEqual(["2", "1", undefined, "2"]);
});

test("patterns of a route are one series of the metrics that do not name them", () => {
  const stats = new RequestStats(compileRequestMetrics({ prefix: "" }));
  for (const uri of ["/a", "/b"]) stats.record(requestOf("", uri));
  expect(linesOf(stats, "http_status{")).toHaveLength(2);
  expect(linesOf(stats, 'bandwidth{type="egress"').map((line) => line.split(" ").at(-1))).toEqual(["4"]);
  const request = linesOf(stats, "http_latency_").filter((line) => line.includes('type="request"'));
  const readValue = (text: string) =>
    request.filter((line) => line.includes(text)).map((line) => line.split(" ").at(-1));
  expect(request).toHaveLength(18);
  expect(['le="2"', 'le="5"', 'le="+Inf"', "_sum{", "_count{"].map(readValue)).toEqual([
    ["0"],
    ["2"],
    ["2"],
    ["6"],
    ["2"],
  ]);
});

test("a request that no plugin counts is in no series", () => {
  const stats = new RequestStats(compileRequestMetrics({ prefix: "" }));
  stats.record({ ...requestOf(""), seriesNames: undefined } as ExchangeContext);
  expect([...stats.series()]).toEqual([]);
});

test("what has not changed for long enough is forgotten, metric by metric, and begins anew", () => {
  const series = { http_status: { expiryMs: 100 }, http_latency: { expiryMs: 200 }, bandwidth: { expiryMs: 300 } };
  const stats = new RequestStats(compileRequestMetrics({ prefix: "", series }));
  const told = () =>
    ["http_status{", "http_latency_count", "bandwidth{"].map((start) => linesOf(stats, start).length > 0);
  stats.record(requestOf("jack"));
  const seen = [1_103, 1_104, 1_204, 1_304].map((nowMs) => {
    stats.expire(nowMs);
    return told();
  });
  expect(seen).toEqual([
    [true, true, true],
    [false, true, true],
    [false, false, true],
    [false, false, false],
  ]);
  expect([...stats.series()]).toEqual([]);
  expect(renderRequestSeries(stats, {})).toBe("");
  stats.record(requestOf("jack"));
  expect(linesOf(stats, "http_latency_count").map((line) => line.split(" ").at(-1))).toEqual(["1", "1"]);
});

test("statuses of one series expire by themselves", () => {
  const stats = new RequestStats(compileRequestMetrics({ prefix: "", series: { http_status: { expiryMs: 100 } } }));
  stats.record(requestOf("jack"));
  const later = { ...requestOf("jack"), response: { status: 404, source: "gateway" } } as ExchangeContext;
  stats.record({ ...later, timings: { ...later.timings, startedAtMs: 2_000 } } as ExchangeContext);
  stats.expire(2_000);
  expect(linesOf(stats, "http_status{").map((line) => line.slice(0, 23))).toEqual(['http_status{code="404",']);
});
