import { type RunningGateway, runGateway, sendRequest } from "@fngate/data-plane/testing";
import { eventually } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyAuth } from "../key-auth/index.ts";
import { limitCount } from "../limit-count/index.ts";
import { proxyCache } from "../proxy-cache/index.ts";
import { prometheus } from "./index.ts";

/** What one query of APISIX's public Grafana dashboard (11719) needs of the metrics. */
interface Query {
  readonly sample: string;
  /** Type of the metric that the sample belongs to. */
  readonly type: "counter" | "gauge" | "histogram";
  /** Labels that it selects by: an anchored pattern, as `=~` has it. */
  readonly where?: Readonly<Record<string, string>>;
  /** Labels that it groups by, or shows the values of to choose from. */
  readonly by?: readonly string[];
}

/** The dashboard's variables with a value chosen; `instance` is Prometheus' own label. */
const CHOSEN = { service: "shop", route: "orders" };
const CALL = { ...CHOSEN, consumer: "jack", node: "127\\.0\\.0\\.1" };

const CONNECTIONS = { sample: "apisix_nginx_http_current_connections", type: "gauge" } as const;
const BANDWIDTH = { sample: "apisix_bandwidth", type: "counter" } as const;
const STATUS = { sample: "apisix_http_status", type: "counter" } as const;
const LATENCY = { sample: "apisix_http_latency_bucket", type: "histogram" } as const;

const QUERIES: Readonly<Record<string, Query>> = {
  "Total Requests": { sample: "apisix_http_requests_total", type: "gauge" },
  "Accepted Connections": { ...CONNECTIONS, where: { state: "accepted" } },
  "Handled Connections": { ...CONNECTIONS, where: { state: "handled" } },
  "Nginx connection state": { ...CONNECTIONS, where: { state: "active|reading|writing|waiting" }, by: ["state"] },
  "Total Bandwidth": { ...BANDWIDTH, by: ["type"] },
  "Ingress per service": { ...BANDWIDTH, where: { type: "ingress", ...CHOSEN }, by: ["service"] },
  "Ingress per route": { ...BANDWIDTH, where: { type: "ingress", ...CHOSEN }, by: ["route"] },
  "Egress per service": { ...BANDWIDTH, where: { type: "egress", ...CHOSEN }, by: ["service"] },
  "Egress per route": { ...BANDWIDTH, where: { type: "egress", ...CHOSEN }, by: ["route"] },
  "Requests per second by status code": { ...STATUS, where: CHOSEN, by: ["code"] },
  "Total requests per second": STATUS,
  "Requests per second per service": { ...STATUS, where: CHOSEN, by: ["service"] },
  "Requests per second per route": { ...STATUS, where: CHOSEN, by: ["route"] },
  "Request Latency": { ...LATENCY, where: { type: "request", ...CALL }, by: ["le"] },
  "APISIX Latency": { ...LATENCY, where: { type: "apisix", ...CALL }, by: ["le"] },
  "Upstream Latency": { ...LATENCY, where: { type: "upstream", ...CALL }, by: ["le"] },
  "Etcd modify indexes": {
    sample: "apisix_etcd_modify_indexes",
    type: "gauge",
    where: {
      key: "consumers|global_rules|max_modify_index|prev_index|protos|routes|services|ssls|stream_routes|upstreams|x_etcd_index",
    },
    by: ["key"],
  },
  "Etcd reachable": { sample: "apisix_etcd_reachable", type: "gauge" },
  "Nginx metric errors": { sample: "apisix_nginx_metric_errors_total", type: "counter" },
  "shared dict, free": { sample: "apisix_shared_dict_free_space_bytes", type: "gauge", by: ["name"] },
  "shared dict, capacity": { sample: "apisix_shared_dict_capacity_bytes", type: "gauge", by: ["name"] },
  "variables service, route, consumer and node": { ...STATUS, by: ["service", "route", "consumer", "node"] },
};

/** A sample with its labels. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Types by metric, and samples, of Prometheus' text format; no label value here has a quote in it. */
function parseMetrics(text: string): { readonly types: ReadonlyMap<string, string>; readonly samples: Sample[] } {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    const [, metric = "", type = ""] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (metric !== "") types.set(metric, type);
    if (line === "" || line.startsWith("#")) continue;
    const [, name = "", labels = "", value] = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? [];
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = "", text = ""]) => [label, text]);
    samples.push({ name, labels: Object.fromEntries(pairs), value: Number(value) });
  }
  return { types, samples };
}

describe("what the public Grafana dashboard asks for", () => {
  let gateway: RunningGateway;
  let metrics: ReturnType<typeof parseMetrics>;

  beforeAll(async () => {
    gateway = await runGateway({
      plugins: [prometheus, keyAuth, limitCount, proxyCache],
      services: { shop: { plugins: { prometheus: {} } } },
      consumers: { jack: { plugins: { "key-auth": { key: "j" } } } },
      options: { metrics: { host: "127.0.0.1", port: 0 } },
    });
    await gateway.put("routes/orders", {
      uri: "/*",
      service_id: "shop",
      upstream: { nodes: { [`127.0.0.1:${gateway.upstream.port}`]: 1 } },
      plugins: {
        "key-auth": {},
        "limit-count": { count: 9, time_window: 60 },
        "proxy-cache": { cache_strategy: "memory", cache_zone: "memory_cache" },
      },
    });
    const answer = await gateway.send("/", { method: "POST", headers: { apikey: "j" }, body: "order" });
    expect(answer.status).toBe(200);
    await gateway.get("/kept", { apikey: "j" });
    metrics = await eventually(async () => {
      const { body } = await sendRequest(gateway.portOf("metrics"), "/apisix/prometheus/metrics");
      expect(body).toMatch(/apisix_http_latency_count\{type="request".* 2\n/);
      return parseMetrics(body);
    });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  it.each(Object.entries(QUERIES))("%s", (_panel, { by = [], sample, type, where = {} }) => {
    const found = metrics.samples.filter(({ labels, name }) => {
      const isSelected = Object.entries(where).every(([label, pattern]) =>
        new RegExp(`^(?:${pattern})$`).test(labels[label] ?? ""),
      );
      return name === sample && isSelected;
    });
    expect(found).not.toEqual([]);
    expect(found.flatMap(({ labels }) => by.filter((label) => (labels[label] ?? "") === ""))).toEqual([]);
    expect(metrics.types.get(type === "histogram" ? sample.replace(/_bucket$/, "") : sample)).toBe(type);
  });

  it("has a capacity for every free space, which is what is left of it", () => {
    const of = (sample: string) =>
      new Map(
        metrics.samples.filter(({ name }) => name === sample).map(({ labels, value }) => [labels["name"], value]),
      );
    const free = of("apisix_shared_dict_free_space_bytes");
    const capacity = of("apisix_shared_dict_capacity_bytes");
    expect([...free.keys()].toSorted()).toEqual(["memory_cache", "plugin-limit-count"]);
    for (const [name, bytes] of free) {
      expect(bytes).toBeGreaterThan(0);
      expect(bytes).toBeLessThan(capacity.get(name) ?? 0);
    }
    expect(capacity.get("memory_cache")).toBe(50 * 2 ** 20);
  });
});
