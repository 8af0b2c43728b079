import { describePlugin } from "@fngate/plugin-kit/testing";
import { startRedis } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { limitCount } from "./index.ts";
import { limitCountSchema } from "./schema.ts";

const SECRETS = { redis_password: "a-redis-secret", sentinel_password: "a-sentinel-secret" };

describePlugin(limitCount, { folder: import.meta.dirname, config: { count: 2, time_window: 60, ...SECRETS } });

const DEFAULTS = {
  window_type: "fixed",
  key: "remote_addr",
  key_type: "var",
  rejected_code: 503,
  allow_degradation: false,
  policy: "local",
  show_limit_quota_header: true,
  sync_interval: -1,
};
const NONE = "value should match only one schema, but matches none";
const redis = { count: 1, time_window: 1, policy: "redis" };

describeSchema(limitCountSchema, {
  defaults: [
    { count: 1, time_window: 1 },
    { count: 1, time_window: 1, ...DEFAULTS },
  ],
  accepts: [
    { count: "$http_count", time_window: "1x", window_type: "sliding", key_type: "constant", group: "g" },
    { rules: [{ count: 1, time_window: 2, key: "$remote_addr", header_prefix: "x" }] },
    { ...redis, redis_host: "127.0.0.1", redis_port: 1, redis_password: "", redis_keepalive_timeout: 1000 },
    { ...redis, policy: "redis-cluster", redis_cluster_nodes: ["127.0.0.1:1"], redis_cluster_name: "c" },
    { ...redis, policy: "redis-sentinel", redis_sentinels: [{ host: "h1", port: 1 }], redis_master_name: "m" },
    { count: 1, time_window: 60, policy: "redis", redis_host: "h1", sync_interval: 0.2 },
  ],
  refuses: [
    [{}, NONE],
    [{ count: 1 }, NONE],
    [{ count: 0, time_window: 1 }, "count"],
    [{ count: 1, time_window: 0.5 }, "time_window"],
    [{ count: 1, time_window: 1, rules: [] }, "count/time_window and rules cannot be specified at the same time"],
    [{ rules: [], group: "g" }, "group and rules cannot be specified at the same time"],
    [{ rules: [{ count: 1, time_window: 1 }] }, "rules.0.key"],
    [{ rules: ["a", "b", "a"].map((key) => ({ count: 1, time_window: 1, key })) }, "duplicate key 'a' in rules"],
    [{ count: 1, time_window: 1, rejected_code: 600 }, "rejected_code"],
    [{ count: 1, time_window: 1, rejected_msg: "" }, "rejected_msg"],
    [{ count: 1, time_window: 1, key_type: "other" }, "key_type"],
    [redis, "then clause did not match"],
    [{ ...redis, policy: "redis-cluster", redis_cluster_nodes: ["a:1"] }, "else clause did not match"],
    [{ ...redis, policy: "redis-sentinel", redis_master_name: "m" }, "else clause did not match"],
    [{ ...redis, redis_host: "h1", sync_interval: 0.01 }, "sync_interval should not be smaller than 0.1"],
    [{ ...redis, redis_host: "h1", sync_interval: 1 }, "sync_interval should be smaller than time_window"],
  ],
});

describe("limit-count", () => {
  it("tells the quota with every answer and refuses what is over it", async () => {
    await using gateway = await gatewayWith(limitCount, { count: 1, time_window: 60 });
    const first = await gateway.get("/");
    expect(first.headers).toMatchObject({ "x-ratelimit-limit": "1", "x-ratelimit-remaining": "0" });
    const second = await gateway.get("/");
    expect(second).toMatchObject({ status: 503, headers: { "x-ratelimit-limit": "1", "x-ratelimit-remaining": "0" } });
    expect(Number(second.headers["x-ratelimit-reset"])).toBeGreaterThan(50);
    expect(gateway.upstream.requests).toHaveLength(1);
  });

  it("answers as configured, and keeps the quota to itself when told to", async () => {
    await using gateway = await gatewayWith(limitCount, {
      count: 1,
      time_window: 60,
      rejected_code: 429,
      rejected_msg: "too many",
      show_limit_quota_header: false,
    });
    const [first, second] = [await gateway.get("/"), await gateway.get("/")];
    expect(first.headers).not.toHaveProperty("x-ratelimit-limit");
    expect(second).toMatchObject({ status: 429, body: '{"error_msg":"too many"}\n' });
  });

  /** Statuses of requests one after the other. */
  async function statusesOf(config: object, requests: readonly Readonly<Record<string, string>>[]) {
    await using gateway = await gatewayWith(limitCount, { count: 1, time_window: 60, ...config });
    const statuses = [];
    for (const headers of requests) statuses.push((await gateway.get("/?a=1", headers)).status);
    return statuses;
  }

  it.each([
    [{ key: "http_x_user" }, [{ "x-user": "a" }, { "x-user": "b" }, { "x-user": "a" }], [200, 200, 503]],
    [{ key: "http_x_user" }, [{}, {}], [200, 503]],
    [
      { key: "$http_x_user $http_x_team", key_type: "var_combination" },
      [{ "x-user": "a" }, { "x-user": "a", "x-team": "t" }, { "x-user": "a" }],
      [200, 200, 503],
    ],
    [{ key: "$http_x_user", key_type: "var_combination" }, [{}, {}], [200, 503]],
    [{ key: `\${http_x_user ?? nobody}`, key_type: "var_combination" }, [{}, {}, { "x-user": "a" }], [200, 503, 200]],
    [{ key: "all", key_type: "constant" }, [{ "x-user": "a" }, { "x-user": "b" }], [200, 503]],
    [{ window_type: "sliding", time_window: 1_000_000_000 }, [{}, {}], [200, 503]],
    [{ count: "$http_x_count" }, [{ "x-count": "2" }, { "x-count": "2" }, { "x-count": "2" }], [200, 200, 503]],
    [{ count: "$http_x_count" }, [{}, { "x-count": "-1" }, { "x-count": "1.5" }], [500, 500, 500]],
    [{ count: "$http_x_count", allow_degradation: true }, [{}], [200]],
  ])("with %j answers %j with %j", async (config, requests, statuses) => {
    expect(await statusesOf(config, requests)).toEqual(statuses);
  });

  it("applies every rule whose key is there, and names the quotas after them", async () => {
    const rules = [
      { count: 5, time_window: 60, key: "$remote_addr" },
      { count: 1, time_window: 60, key: "$http_x_user", header_prefix: "User" },
    ];
    await using gateway = await gatewayWith(limitCount, { rules });
    expect((await gateway.get("/")).headers).toMatchObject({
      "x-1-ratelimit-limit": "5",
      "x-1-ratelimit-remaining": "4",
    });
    const named = { "x-user": "jack" };
    expect((await gateway.get("/", named)).headers).toMatchObject({ "x-user-ratelimit-remaining": "0" });
    expect((await gateway.get("/", named)).status).toBe(503);
    expect((await gateway.get("/")).status).toBe(200);
  });

  it("names the quota's fields as the metadata says", async () => {
    await using gateway = await gatewayWith(
      limitCount,
      { count: 3, time_window: 60 },
      {
        pluginMetadata: { "limit-count": { limit_header: "X-Custom-Limit" } },
      },
    );
    expect((await gateway.get("/")).headers).toMatchObject({ "x-custom-limit": "3", "x-ratelimit-remaining": "2" });
  });

  const route = (config: object, more: object = {}) => ({
    id: "1",
    uri: "/*",
    plugins: { "limit-count": { count: 1, time_window: 60, ...config } },
    ...more,
  });

  it("goes on counting when something else of the route changes, and anew when the limit does", async () => {
    await using gateway = await gatewayWith(limitCount, { count: 1, time_window: 60 });
    await gateway.get("/");
    await gateway.put("routes/1", route({}, { desc: "changed" }));
    expect((await gateway.get("/")).status).toBe(503);
    await gateway.put("routes/1", route({ count: 2 }));
    expect((await gateway.get("/")).headers["x-ratelimit-remaining"]).toBe("1");
  });

  it("counts routes with equal configurations apart, but together in one group", async () => {
    await using gateway = await gatewayWith(limitCount, { count: 1, time_window: 60 });
    await gateway.put("routes/2", { ...route({}), id: "2", uri: "/two" });
    await gateway.put("routes/3", { ...route({ group: "g" }), id: "3", uri: "/three" });
    await gateway.put("routes/4", { ...route({ group: "g" }), id: "4", uri: "/four" });
    const statuses = [];
    for (const target of ["/", "/two", "/three", "/four"]) statuses.push((await gateway.get(target)).status);
    expect(statuses).toEqual([200, 200, 200, 503]);
  });

  it("leaves a configuration out of use that differs from the others of its group", async () => {
    await using gateway = await gatewayWith(limitCount, { count: 1, time_window: 60, group: "g" });
    await gateway.put("routes/2", { ...route({ count: 2, group: "g" }), id: "2", uri: "/two" });
    expect(gateway.plane.diagnostics).toMatchObject([
      { id: "2", message: expect.stringContaining("group conf mismatched") },
    ]);
  });
});

describe("limit-count in redis", () => {
  const config = { count: 1, time_window: 60, policy: "redis", redis_host: "127.0.0.1" };

  it("counts for two gateways together", async () => {
    await using server = await startRedis({ password: "sesame" });
    const shared = { ...config, redis_port: server.port, redis_password: "sesame" };
    await using one = await gatewayWith(limitCount, shared);
    await using other = await gatewayWith(limitCount, shared);
    const first = await one.get("/");
    expect(first).toMatchObject({ status: 200, headers: { "x-ratelimit-remaining": "0" } });
    expect((await other.get("/")).status).toBe(503);
  });

  it("answers 500 while redis is away, or lets requests go on, and counts again when it is back", async () => {
    await using server = await startRedis();
    const away = { ...config, redis_port: server.port, redis_timeout: 500 };
    await using strict = await gatewayWith(limitCount, away);
    await using lenient = await gatewayWith(limitCount, { ...away, allow_degradation: true });
    expect((await strict.get("/")).status).toBe(200);
    await server.kill();
    expect(await strict.get("/")).toMatchObject({ status: 500, body: '{"error_msg":"failed to limit count"}\n' });
    expect((await lenient.get("/")).status).toBe(200);
    await server.start();
    await expect.poll(async () => (await strict.get("/")).status, { timeout: 10_000 }).not.toBe(500);
  });
});
