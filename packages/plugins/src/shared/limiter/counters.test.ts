import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:tls";
import { type LoggedLine, recordingLogger } from "@fngate/data-plane/testing";
import { silentLogger, systemClock } from "@fngate/kernel";
import { createCertificates, FakeClock, type RedisProcess, startRedis } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Counters } from "./counters.ts";
import { LocalCounters } from "./local-counters.ts";
import { createRedisClient, type RedisClient } from "./redis-client.ts";
import { RedisCounters } from "./redis-counters.ts";
import type { RedisConfig } from "./redis-fields.ts";

const withoutLog = { logger: silentLogger, trustedCertificates: () => [] };

/** Declares what every kind of counters does; windows are long, so that no test waits for one to end. */
function describeCounters(name: string, open: () => Counters): void {
  describe(name, () => {
    const hour = { limit: 2, windowSeconds: 3_600 };

    it("allow so many events in a fixed window, and count each key on its own", async () => {
      const counters = open();
      const rule = { ...hour, kind: "fixed" } as const;
      const outcomes = [];
      for (const key of ["a", "a", "b", "a"]) outcomes.push(await counters.countInWindow(`${name} fixed ${key}`, rule));
      expect(outcomes.map(({ isAllowed, remaining }) => [isAllowed, remaining])).toEqual([
        [true, 1],
        [true, 0],
        [true, 1],
        [false, 0],
      ]);
      for (const { resetSeconds } of outcomes) {
        expect(resetSeconds).toBeGreaterThan(3_590);
        expect(resetSeconds).toBeLessThanOrEqual(3_600);
      }
    });

    it("allow so many events in a sliding window", async () => {
      const counters = open();
      const rule = { limit: 2, windowSeconds: 1_000_000_000, kind: "sliding" } as const;
      const outcomes = [];
      for (let count = 0; count < 3; count += 1) outcomes.push(await counters.countInWindow(`${name} sliding`, rule));
      expect(outcomes.map(({ isAllowed, remaining }) => [isAllowed, remaining])).toEqual([
        [true, 1],
        [true, 0],
        [false, 0],
      ]);
    });

    it("fill a leaky bucket: the first never waits, the burst waits its turn, the rest is refused", async () => {
      const counters = open();
      const rule = { ratePerSecond: 0.001, burst: 1 };
      const outcomes = [];
      for (let count = 0; count < 3; count += 1) outcomes.push(await counters.pourIntoBucket(`${name} bucket`, rule));
      expect(outcomes.map(({ isAllowed }) => isAllowed)).toEqual([true, true, false]);
      expect(outcomes[0]?.delaySeconds).toBe(0);
      expect(outcomes[1]?.delaySeconds).toBeGreaterThan(990);
    });

    it("give places out and take them back, once each", async () => {
      const counters = open();
      const key = `${name} slots`;
      const rule = { limit: 2, ttlSeconds: 60 };
      const [first, second, third] = [
        await counters.takeSlot(key, rule),
        await counters.takeSlot(key, rule),
        await counters.takeSlot(key, rule),
      ];
      expect([first?.taken, second?.taken, third]).toEqual([1, 2, undefined]);
      first?.leave();
      first?.leave();
      const again = await counters.takeSlot(key, rule);
      expect(again?.taken).toBe(2);
      expect(await counters.takeSlot(key, rule)).toBeUndefined();
    });
  });
}

/** Something that takes connections and never answers. */
async function startTlsServer(pair: { readonly key: string; readonly cert: string }) {
  let received = "";
  const sockets = new Set<Socket>();
  const server = createServer(pair, (socket) => {
    sockets.add(socket);
    socket.on("data", (data) => {
      received += data.toString();
    });
    socket.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get received() {
      return received;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe("counters", () => {
  const deps = { clock: systemClock, logger: silentLogger };
  let redis: RedisProcess;
  let cluster: RedisProcess;
  const clients: RedisClient[] = [];

  beforeAll(async () => {
    [redis, cluster] = await Promise.all([startRedis({ password: "sesame" }), startRedis({ isCluster: true })]);
  });

  afterAll(async () => {
    for (const client of clients) client.close();
    await Promise.all([redis[Symbol.asyncDispose](), cluster[Symbol.asyncDispose]()]);
  });

  function open(...parameters: Parameters<typeof createRedisClient>): Counters {
    const client = createRedisClient(...parameters);
    clients.push(client);
    return new RedisCounters(client, "plugin-test", deps);
  }

  describeCounters("of this process", () => new LocalCounters(systemClock));

  describeCounters("in redis", () =>
    open("redis", { redis_host: "127.0.0.1", redis_port: redis.port, redis_password: "sesame" }, withoutLog),
  );

  describeCounters("in a redis cluster", () =>
    open("redis-cluster", { redis_cluster_nodes: [`127.0.0.1:${cluster.port}`], redis_cluster_name: "c" }, withoutLog),
  );

  it("in redis let every key expire", async () => {
    const counters = open(
      "redis",
      { redis_host: "127.0.0.1", redis_port: redis.port, redis_password: "sesame", redis_database: 3 },
      withoutLog,
    );
    await counters.countInWindow("k", { limit: 1, windowSeconds: 100, kind: "fixed" });
    await counters.countInWindow("k", { limit: 1, windowSeconds: 100, kind: "sliding" });
    await counters.pourIntoBucket("b", { ratePerSecond: 1, burst: 1 });
    await counters.takeSlot("s", { limit: 1, ttlSeconds: 10 });
    const info = await redis.command("INFO", "keyspace");
    expect(info).toMatch(/db3:keys=4,expires=4/);
  });

  it("in redis are never those of another database than the one named", async () => {
    const server = { redis_host: "127.0.0.1", redis_port: redis.port, redis_password: "sesame" };
    const client = createRedisClient("redis", { ...server, redis_database: 999_999 }, withoutLog);
    clients.push(client);
    const count = () => client.run("return { redis.call('incr', KEYS[1]) }", ["no-such-database"], []);
    for (const _ of [1, 2, 3]) await expect(count()).rejects.toThrow();
    expect(await redis.command("EXISTS", "no-such-database")).toContain("0");
  });

  it("in redis over TLS trust the certificates that the gateway trusts", async () => {
    const { ca, server: pair } = await createCertificates();
    await using server = await startTlsServer(pair);
    const config = { redis_host: "127.0.0.1", redis_port: server.port, redis_ssl: true, redis_ssl_verify: true };
    const ask = async (trusted: readonly string[]) => {
      const lines: LoggedLine[] = [];
      const deps = { logger: recordingLogger(lines), trustedCertificates: () => trusted };
      const client = createRedisClient("redis", { ...config, redis_timeout: 500 } as RedisConfig, deps);
      clients.push(client);
      await expect(client.run("return {}", [], [])).rejects.toThrow();
      return JSON.stringify(lines);
    };
    expect(await ask([])).toContain("certificate");
    expect(server.received).toBe("");
    expect(await ask([ca])).not.toContain("certificate");
    expect(server.received).not.toBe("");
  });

  it("in redis remember a bucket of a slow rate until it is empty", async () => {
    const config = { redis_host: "127.0.0.1", redis_port: redis.port, redis_password: "sesame" };
    const client = createRedisClient("redis", config, withoutLog);
    clients.push(client);
    await new RedisCounters(client, "slow-bucket", deps).pourIntoBucket("k", { ratePerSecond: 0.01, burst: 1 });
    const [key = ""] = /slow-bucket:\S+/.exec(await redis.command("KEYS", "slow-bucket:*")) ?? [];
    expect(Number(/\d+/.exec(await redis.command("TTL", key)))).toBeGreaterThan(150);
  });

  it("in redis are waited for, however long that may take", async () => {
    const port = { redis_host: "127.0.0.1", redis_port: redis.port, redis_password: "sesame" };
    const counters = open("redis", { ...port, redis_timeout: 2 ** 40 }, withoutLog);
    const counted = counters.countInWindow("long", { limit: 1, windowSeconds: 100, kind: "fixed" });
    expect(await counted).toMatchObject({ isAllowed: true });
  });

  it.each([
    ["redis", { redis_host: "127.0.0.1", redis_port: 1, redis_timeout: 200 }],
    ["redis-cluster", { redis_cluster_nodes: ["127.0.0.1:1"], redis_cluster_name: "c", redis_timeout: 200 }],
    [
      "redis-sentinel",
      { redis_sentinels: [{ host: "127.0.0.1", port: 1 }], redis_master_name: "m", redis_read_timeout: 200 },
    ],
  ] as const)("of %s reject when it is not there, instead of waiting for it", async (policy, config) => {
    const counters = open(policy, config as RedisConfig, withoutLog);
    await expect(counters.countInWindow("k", { limit: 1, windowSeconds: 1, kind: "fixed" })).rejects.toThrow();
  });
});

describe("counters of this process over time", () => {
  it("begin a new fixed window when the old one has ended", async () => {
    const clock = new FakeClock();
    const counters = new LocalCounters(clock);
    const rule = { limit: 1, windowSeconds: 10, kind: "fixed" } as const;
    expect(counters.countInWindow("k", rule)).toEqual({ isAllowed: true, remaining: 0, resetSeconds: 10 });
    await clock.advance(4_000);
    expect(counters.countInWindow("k", rule)).toEqual({ isAllowed: false, remaining: 0, resetSeconds: 6 });
    await clock.advance(6_000);
    expect(counters.countInWindow("k", rule)).toEqual({ isAllowed: true, remaining: 0, resetSeconds: 10 });
  });

  it("tell the whole window of its first event, whatever the clock's fractions", () => {
    const rule = { limit: 1, windowSeconds: 60, kind: "fixed" } as const;
    for (let count = 0; count < 100; count += 1) {
      const clock = { ...systemClock, monotonicMs: () => 12_345.678 + count * 0.1 };
      expect(new LocalCounters(clock).countInWindow("k", rule).resetSeconds).toBe(60);
    }
  });

  it("let the past sliding window count in proportion", async () => {
    const clock = new FakeClock(0);
    const counters = new LocalCounters(clock);
    const rule = { limit: 4, windowSeconds: 10, kind: "sliding" } as const;
    for (let count = 0; count < 4; count += 1) counters.countInWindow("k", rule);
    expect(counters.countInWindow("k", rule)).toEqual({ isAllowed: false, remaining: 0, resetSeconds: 10 });
    await clock.advance(10_000);
    expect(counters.countInWindow("k", rule).isAllowed).toBe(false);
    await clock.advance(5_000);
    expect(counters.countInWindow("k", rule)).toEqual({ isAllowed: true, remaining: 1, resetSeconds: 5 });
    await clock.advance(15_000);
    expect(counters.countInWindow("k", rule)).toEqual({ isAllowed: true, remaining: 3, resetSeconds: 10 });
  });

  it("empty the bucket at the rate", async () => {
    const clock = new FakeClock();
    const counters = new LocalCounters(clock);
    const rule = { ratePerSecond: 2, burst: 1 };
    counters.pourIntoBucket("k", rule);
    expect(counters.pourIntoBucket("k", rule)).toEqual({ isAllowed: true, delaySeconds: 0.5 });
    expect(counters.pourIntoBucket("k", rule).isAllowed).toBe(false);
    await clock.advance(500);
    expect(counters.pourIntoBucket("k", rule)).toEqual({ isAllowed: true, delaySeconds: 0.5 });
  });
});
