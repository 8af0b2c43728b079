import { describePlugin, fakeDeps, fakeLogContext } from "@fngate/plugin-kit/testing";
import { eventually, FakeClock, startRedis } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { limitConn } from "./index.ts";
import { limitConnSchema } from "./schema.ts";

const minimal = { conn: 1, burst: 0, default_conn_delay: 0.1, key: "remote_addr" };

describePlugin(limitConn, { folder: import.meta.dirname, config: { ...minimal, redis_password: "a-redis-secret" } });

const NONE = "value should match only one schema, but matches none";

describeSchema(limitConnSchema, {
  defaults: [
    minimal,
    {
      ...minimal,
      key_type: "var",
      policy: "local",
      rejected_code: 503,
      only_use_default_delay: false,
      allow_degradation: false,
      key_ttl: 3600,
    },
  ],
  accepts: [
    { ...minimal, conn: "$arg_a", burst: "$arg_b", key_type: "var_combination" },
    { default_conn_delay: 1, rules: [{ conn: 1, burst: 0, key: "$remote_addr" }] },
    { ...minimal, policy: "redis", redis_host: "h1", key_ttl: 10 },
  ],
  refuses: [
    [{}, NONE],
    [{ conn: 1, burst: 0, default_conn_delay: 0.1 }, NONE],
    [{ ...minimal, conn: 0 }, "conn"],
    [{ ...minimal, default_conn_delay: 0 }, "default_conn_delay"],
    [{ ...minimal, rules: [] }, "value should match only one schema, but matches both schemas 1 and 2"],
    [{ ...minimal, rejected_msg: "" }, "rejected_msg"],
    [{ ...minimal, policy: "redis" }, "then clause did not match"],
  ],
});

/** An upstream that answers when it is told to. */
function heldUpstream() {
  const gate = Promise.withResolvers<void>();
  const upstream = async () => {
    await gate.promise;
    return {};
  };
  return { upstream, open: () => gate.resolve() };
}

describe("limit-conn", () => {
  it("refuses requests while too many are under way, by key, and takes them again afterwards", async () => {
    const { open, upstream } = heldUpstream();
    const config = { ...minimal, key: "http_x_user", rejected_code: 429, rejected_msg: "busy" };
    await using gateway = await gatewayWith(limitConn, config, { upstream });
    const first = gateway.get("/", { "x-user": "a" });
    const other = gateway.get("/", { "x-user": "b" });
    await eventually(() => expect(gateway.upstream.requests).toHaveLength(2));
    expect(await gateway.get("/", { "x-user": "a" })).toMatchObject({ status: 429, body: '{"error_msg":"busy"}\n' });
    open();
    expect([(await first).status, (await other).status]).toEqual([200, 200]);
    await eventually(async () => expect((await gateway.get("/", { "x-user": "a" })).status).toBe(200));
  });

  it("holds up what is over the limit and within the burst, longer the more there are", async () => {
    const clock = new FakeClock();
    const config = limitConnSchema.parse({ ...minimal, burst: 2, default_conn_delay: 1, only_use_default_delay: true });
    const instance = limitConn.setup(config, fakeDeps({ clock }));
    const contexts = [0, 1, 2, 3].map(() => fakeLogContext());
    const ended: number[] = [];
    const results = contexts.map((context, index) =>
      Promise.resolve(instance.access?.(context)).then((result) => {
        ended.push(index);
        return result;
      }),
    );
    await clock.advance(999);
    expect(ended).toEqual([0, 3]);
    expect(await results[3]).toMatchObject({ status: 503 });
    await clock.advance(1);
    expect(ended).toEqual([0, 3, 1]);
    await clock.advance(1_000);
    expect(ended).toEqual([0, 3, 1, 2]);
    for (const context of contexts) instance.log?.(context);
    expect(instance.access?.(fakeLogContext())).toBeUndefined();
    instance.dispose?.();
  });

  it("applies every rule whose key is there", async () => {
    const { open, upstream } = heldUpstream();
    const rules = [
      { conn: 5, burst: 0, key: "$remote_addr" },
      { conn: 1, burst: 0, key: "$http_x_user" },
    ];
    await using gateway = await gatewayWith(limitConn, { default_conn_delay: 0.1, rules }, { upstream });
    const first = gateway.get("/", { "x-user": "a" });
    await eventually(() => expect(gateway.upstream.requests).toHaveLength(1));
    expect((await gateway.get("/", { "x-user": "a" })).status).toBe(503);
    open();
    expect((await first).status).toBe(200);
    expect((await gateway.get("/", { "x-user": "b" })).status).toBe(200);
  });

  it("counts in redis for two gateways together, and answers 500 when it is away", async () => {
    await using server = await startRedis();
    const { open, upstream } = heldUpstream();
    const config = { ...minimal, policy: "redis", redis_host: "127.0.0.1", redis_port: server.port };
    await using one = await gatewayWith(limitConn, config, { upstream });
    await using other = await gatewayWith(limitConn, config);
    const first = one.get("/");
    await eventually(() => expect(one.upstream.requests).toHaveLength(1));
    expect((await other.get("/")).status).toBe(503);
    open();
    expect((await first).status).toBe(200);
    await eventually(async () => expect((await other.get("/")).status).toBe(200));
    await server.kill();
    expect((await other.get("/")).status).toBe(500);
  });
});
