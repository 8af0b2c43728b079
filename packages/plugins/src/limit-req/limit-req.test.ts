import { describePlugin, fakeDeps, fakeRequestContext } from "@fngate/plugin-kit/testing";
import { FakeClock, startRedis } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { limitReq } from "./index.ts";
import { limitReqSchema } from "./schema.ts";

const minimal = { rate: 1, burst: 0, key: "remote_addr" };

describePlugin(limitReq, { folder: import.meta.dirname, config: { ...minimal, redis_password: "a-redis-secret" } });

describeSchema(limitReqSchema, {
  defaults: [
    minimal,
    { ...minimal, key_type: "var", policy: "local", rejected_code: 503, nodelay: false, allow_degradation: false },
  ],
  accepts: [
    { ...minimal, rate: 0.1, burst: 0.5, nodelay: true, key_type: "var_combination" },
    { ...minimal, policy: "redis", redis_host: "h1" },
    { ...minimal, policy: "redis-cluster", redis_cluster_nodes: ["h1:1"], redis_cluster_name: "c" },
  ],
  refuses: [
    [{}, "rate"],
    [{ ...minimal, rate: 0 }, "rate"],
    [{ ...minimal, burst: -1 }, "burst"],
    [{ rate: 1, burst: 1 }, "key"],
    [{ ...minimal, key_type: "constant" }, "key_type"],
    [{ ...minimal, policy: "redis-sentinel" }, "policy"],
    [{ ...minimal, policy: "redis" }, "then clause did not match"],
  ],
});

describe("limit-req", () => {
  it("refuses what is over the rate, by key", async () => {
    const config = { rate: 0.001, burst: 0, key: "http_x_user", rejected_code: 429, rejected_msg: "slow down" };
    await using gateway = await gatewayWith(limitReq, config);
    const statuses = [];
    for (const user of ["a", "a", "b"]) statuses.push((await gateway.get("/", { "x-user": user })).status);
    expect(statuses).toEqual([200, 429, 200]);
    expect((await gateway.get("/", { "x-user": "a" })).body).toBe('{"error_msg":"slow down"}\n');
  });

  it("lets the burst go on at once when told not to delay", async () => {
    await using gateway = await gatewayWith(limitReq, { ...minimal, rate: 0.001, burst: 1, nodelay: true });
    const statuses = [];
    for (let count = 0; count < 3; count += 1) statuses.push((await gateway.get("/")).status);
    expect(statuses).toEqual([200, 200, 503]);
  });

  it("makes the burst wait for its turn", async () => {
    const clock = new FakeClock();
    const config = limitReqSchema.parse({ rate: 2, burst: 1, key: "remote_addr" });
    const instance = limitReq.setup(config, fakeDeps({ clock }));
    expect(instance.access?.(fakeRequestContext())).toBeUndefined();
    let isOver = false;
    const waiting = Promise.resolve(instance.access?.(fakeRequestContext())).then(() => {
      isOver = true;
    });
    await clock.advance(499);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await waiting;
    instance.dispose?.();
  });

  it("counts in redis for two gateways together, and answers 500 when it is away", async () => {
    await using server = await startRedis();
    const config = { ...minimal, rate: 0.001, policy: "redis", redis_host: "127.0.0.1", redis_port: server.port };
    await using one = await gatewayWith(limitReq, config);
    await using other = await gatewayWith(limitReq, config);
    expect([(await one.get("/")).status, (await other.get("/")).status]).toEqual([200, 503]);
    await server.kill();
    expect((await one.get("/")).status).toBe(500);
  });
});
