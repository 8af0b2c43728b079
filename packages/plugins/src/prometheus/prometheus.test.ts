import { type GatewaySetup, type RunningGateway, runGateway, sendRequest } from "@fngate/data-plane/testing";
import { describePlugin } from "@fngate/plugin-kit/testing";
import { eventually } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { keyAuth } from "../key-auth/index.ts";
import { publicApi } from "../public-api/index.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { prometheus } from "./index.ts";
import { prometheusMetadataSchema } from "./metadata.ts";
import { prometheusSchema } from "./schema.ts";

describePlugin(prometheus, { folder: import.meta.dirname, config: {} });

describeSchema(prometheusSchema, {
  defaults: [{}, { prefer_name: false }],
  accepts: [{ prefer_name: true, other: 1 }],
  refuses: [[{ prefer_name: "true" }, "prefer_name"]],
});

describe("metadata", () => {
  it("names labels of APISIX's metrics", () => {
    const metadata = { disabled_labels: { http_status: ["matched_uri"], llm_latency: ["route_id"], bandwidth: [] } };
    expect(prometheusMetadataSchema.parse(metadata)).toEqual(metadata);
  });

  it.each([
    [{ http_status: ["code"] }, ["disabled_labels", "http_status", 0]],
    [{ http_latency: ["type"] }, ["disabled_labels", "http_latency", 0]],
    [{ http_latency: ["matched_uri"] }, ["disabled_labels", "http_latency", 0]],
    [{ other: ["node"] }, ["disabled_labels"]],
  ])("refuses %j", (disabled_labels, path) => {
    expect(prometheusMetadataSchema.safeParse({ disabled_labels }).error?.issues[0]?.path).toEqual(path);
  });
});

const LLM = 'request_type="traditional_http",request_llm_model="",llm_model=""';
const METRICS = "/apisix/prometheus/metrics";

function start(setup: GatewaySetup): Promise<RunningGateway> {
  const local = { host: "127.0.0.1", port: 0 };
  return runGateway({
    plugins: [prometheus, keyAuth],
    upstream: { body: "four" },
    options: { metrics: local },
    ...setup,
  });
}

/** Lines of the metrics that start so, once so many requests are counted. */
async function scrape(gateway: RunningGateway, requests: number, start: string): Promise<string[]> {
  let lines: string[] = [];
  await eventually(async () => {
    lines = (await sendRequest(gateway.portOf("metrics"), METRICS)).body.split("\n");
    const counts = lines.filter((line) => line.startsWith('apisix_http_latency_count{type="request"'));
    expect(counts.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0)).toBe(requests);
  });
  return lines.filter((line) => line.startsWith(start));
}

describe("prometheus", () => {
  it("counts a route's requests by consumer", async () => {
    await using gateway = await start({
      routes: { 1: { uri: "/*", plugins: { prometheus: {}, "key-auth": {} } } },
      consumers: { jack: { plugins: { "key-auth": { key: "j" } } }, rose: { plugins: { "key-auth": { key: "r" } } } },
    });
    for (const key of ["j", "j", "r", "wrong"]) await gateway.get("/", { apikey: key });
    const own = 'route="1",matched_uri="/*",matched_host="",service=""';
    expect((await scrape(gateway, 4, "apisix_http_status{")).toSorted()).toEqual([
      `apisix_http_status{code="200",${own},consumer="jack",node="127.0.0.1",${LLM},response_source="upstream"} 2`,
      `apisix_http_status{code="200",${own},consumer="rose",node="127.0.0.1",${LLM},response_source="upstream"} 1`,
      `apisix_http_status{code="401",${own},consumer="",node="",${LLM},response_source="apisix"} 1`,
    ]);
    const jack = `route="1",service="",consumer="jack",node="127.0.0.1",${LLM}`;
    expect(await scrape(gateway, 4, 'apisix_http_latency_count{type="upstream"')).toContain(
      `apisix_http_latency_count{type="upstream",${jack}} 2`,
    );
    const egress = await scrape(gateway, 4, `apisix_bandwidth{type="egress",${jack}} `);
    // Two answers with their heads, which a body alone is far shorter than.
    expect(Number(egress[0]?.split(" ").at(-1))).toBeGreaterThan(200);
  });

  it("leaves requests of other routes uncounted", async () => {
    const routes = { 1: { uri: "/a", plugins: { prometheus: {} } }, 2: { uri: "/b", plugins: {} } };
    await using gateway = await start({ routes });
    for (const path of ["/b", "/none", "/a"]) await gateway.get(path);
    expect(await scrape(gateway, 1, "apisix_http_status{")).toHaveLength(1);
    expect(await scrape(gateway, 1, "apisix_http_requests_total ")).toEqual(["apisix_http_requests_total 3"]);
  });

  it("adds the labels and takes the names and bounds that the configuration says", async () => {
    const requestMetrics = {
      prefix: "my_",
      latencyBucketsMs: [10, 60_000],
      series: {
        http_status: { extraLabels: [{ name: "team", variable: "http_x_team" }] },
        http_latency: { extraLabels: [{ name: "method", variable: "request_method" }] },
      },
    };
    await using gateway = await runGateway({
      plugins: [prometheus],
      options: { metrics: { host: "127.0.0.1", port: 0 }, requestMetrics },
      routes: { 1: { uri: "/*", plugins: { prometheus: {} } } },
    });
    for (const team of ["a", "b", "a"]) await gateway.get("/", { "x-team": team });
    await gateway.get("/");
    const lines = await eventually(async () => {
      const { body } = await sendRequest(gateway.portOf("metrics"), METRICS);
      expect(body).toMatch(/my_http_latency_count\{type="request",.*method="GET"\} 4/);
      return body.split("\n");
    });
    const ends = (start: string) =>
      lines.filter((line) => line.startsWith(start)).map((line) => line.slice(line.lastIndexOf(",") + 1));
    expect(ends("my_http_status{").toSorted()).toEqual(['team=""} 1', 'team="a"} 2', 'team="b"} 1']);
    expect(ends('my_http_latency_bucket{type="request"').map((end) => end.split(" ")[0])).toEqual([
      'le="10"}',
      'le="60000"}',
      'le="+Inf"}',
    ]);
    expect(ends('my_bandwidth{type="egress"')).toHaveLength(1);
    expect(lines).toContain("my_http_requests_total 4");
  });

  it("publishes the metrics through public-api where they have no listener", async () => {
    const routes = {
      1: { uri: "/a", plugins: { prometheus: {} } },
      2: { uri: "/m", plugins: { "public-api": { uri: METRICS } } },
    };
    const scrapeOf = async (enable_export_server: boolean) => {
      const options = { pluginAttributes: { prometheus: { enable_export_server } } };
      await using gateway = await runGateway({ plugins: [prometheus, publicApi], routes, options });
      await gateway.get("/a");
      return await gateway.get("/m");
    };
    const published = await scrapeOf(false);
    expect(published).toMatchObject({
      status: 200,
      headers: { "content-type": expect.stringContaining("text/plain") },
    });
    expect(published.body).toContain("apisix_http_requests_total 2");
    expect(published.body).toContain('apisix_http_status{code="200",route="1",matched_uri="/a"');
    expect((await scrapeOf(true)).status).toBe(404);
  });

  it("has APISIX's bounds and kinds of latency", async () => {
    await using gateway = await start({ routes: { 1: { uri: "/*", plugins: { prometheus: {} } } } });
    await gateway.get("/");
    const lines = await scrape(gateway, 1, "apisix_http_latency_bucket{");
    for (const type of ["request", "upstream", "apisix"]) {
      const bounds = lines
        .filter((line) => line.includes(`type="${type}"`))
        .map((line) => /le="([^"]+)"/.exec(line)?.[1]);
      expect(bounds.join(" ")).toBe("1 2 5 10 20 50 100 200 500 1000 2000 5000 10000 30000 60000 +Inf");
    }
  });

  it.each([
    [true, "name", ['route="orders"', 'service="shop"']],
    [false, "id", ['route="1"', 'service="s"']],
  ])("with prefer_name %j labels with the %s", async (prefer_name, _what, labels) => {
    await using gateway = await start({ services: { s: { name: "shop", plugins: { prometheus: { prefer_name } } } } });
    const upstream = { nodes: { [`127.0.0.1:${gateway.upstream.port}`]: 1 } };
    await gateway.put("routes/1", { uri: "/a", name: "orders", service_id: "s", upstream });
    await gateway.get("/a");
    const [line, ...others] = await scrape(gateway, 1, "apisix_http_status{");
    for (const label of labels) expect(line).toContain(label);
    expect(others).toEqual([]);
  });

  it("makes one series of routes that share a name, and takes a deleted one's part back", async () => {
    const plugins = { prometheus: { prefer_name: true } };
    const routes = { 1: { uri: "/a", name: "same", plugins }, 2: { uri: "/b", name: "same", plugins } };
    await using gateway = await start({ routes });
    await gateway.get("/a");
    await gateway.get("/b");
    const series = `apisix_bandwidth{type="egress",route="same",service="",consumer="",node="127.0.0.1",${LLM}}`;
    const [both = "", ...others] = await scrape(gateway, 2, 'apisix_bandwidth{type="egress"');
    expect([both.split(" ")[0], others]).toEqual([series, []]);
    await gateway.remove("routes/2");
    const half = Number(both.split(" ")[1]) / 2;
    expect(await scrape(gateway, 1, 'apisix_bandwidth{type="egress"')).toEqual([`${series} ${half}`]);
  });

  it("in a global rule leaves a route its own configuration", async () => {
    await using gateway = await start({
      globalRules: { 1: { plugins: { prometheus: { prefer_name: true } } } },
      routes: {
        1: { uri: "/a", name: "one", plugins: {} },
        2: { uri: "/b", name: "two", plugins: { prometheus: {} } },
      },
    });
    for (const path of ["/a", "/b", "/none"]) await gateway.get(path);
    const lines = await scrape(gateway, 3, "apisix_http_status{");
    expect(lines.map((line) => /route="([^"]*)"/.exec(line)?.[1]).toSorted()).toEqual(["", "2", "one"]);
  });

  it("empties the labels that its metadata disables, in the metric named only", async () => {
    await using gateway = await start({
      pluginMetadata: { prometheus: { disabled_labels: { http_status: ["matched_uri", "node"] } } },
      routes: { 1: { uris: ["/a", "/b"], plugins: { prometheus: {} } } },
    });
    await gateway.get("/a");
    await gateway.get("/b");
    const [line, ...others] = await scrape(gateway, 2, "apisix_http_status{");
    expect(others).toEqual([]);
    expect(line).toMatch(/matched_uri="".*node="".* 2$/);
    const egress = await scrape(gateway, 2, 'apisix_bandwidth{type="egress"');
    expect(egress.map((one) => one.split(" ")[0])).toEqual([
      `apisix_bandwidth{type="egress",route="1",service="",consumer="",node="127.0.0.1",${LLM}}`,
    ]);
  });
});
