import { silentLogger, systemClock } from "@fngate/kernel";
import { eventually, type RedisProcess, startRedis } from "@fngate/test-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRedisClient, type RedisClient } from "./redis-client.ts";
import { RedisCounters } from "./redis-counters.ts";

const DEPS = { logger: silentLogger, trustedCertificates: () => [] };
const NAME = "counted";
const PASSWORDS = { redis_password: "sesame", sentinel_password: "watchword" };
const RULE = { limit: 5, windowSeconds: 3_600, kind: "fixed" } as const;

/** Nobody knows how soon a loaded machine notices that a server is gone. */
const PATIENCE = { deadlineMs: 40_000, intervalMs: 50 };

describe("counters behind a sentinel", { timeout: 60_000 }, () => {
  let master: RedisProcess;
  let replica: RedisProcess;
  let sentinel: RedisProcess;
  let client: RedisClient;

  beforeEach(async () => {
    const password = PASSWORDS.redis_password;
    master = await startRedis({ password });
    replica = await startRedis({ password, replicaOf: master.port });
    await eventually(async () => {
      expect(await replica.command("INFO", "replication")).toContain("master_link_status:up");
    }, PATIENCE);
    const watched = { name: NAME, port: master.port, password };
    sentinel = await startRedis({ password: PASSWORDS.sentinel_password, watched });
    client = createRedisClient(
      "redis-sentinel",
      { ...PASSWORDS, redis_sentinels: [{ host: "127.0.0.1", port: sentinel.port }], redis_master_name: NAME },
      DEPS,
    );
  });

  afterEach(async () => {
    client.close();
    for (const server of [sentinel, replica, master]) await server[Symbol.asyncDispose]();
  });

  function open(): RedisCounters {
    return new RedisCounters(client, "plugin-test", { clock: systemClock, logger: silentLogger });
  }

  /** The one key that the counters have there. */
  async function keyOn(server: RedisProcess): Promise<string> {
    const [key = ""] = /plugin-test:\S+/.exec(await server.command("KEYS", "plugin-test:*")) ?? [];
    return key;
  }

  it("count on the master that the sentinel names, and are copied", async () => {
    const counters = open();
    for (const remaining of [4, 3]) expect(await counters.countInWindow("k", RULE)).toMatchObject({ remaining });
    const key = await keyOn(master);
    await eventually(async () => expect(await replica.command("GET", key)).toContain("2"), PATIENCE);
  });

  it("go on where they were on the replica, when the master is gone and the sentinel has moved", async () => {
    const counters = open();
    for (let count = 0; count < 3; count += 1) await counters.countInWindow("k", RULE);
    const key = await keyOn(master);
    await eventually(async () => {
      expect(await sentinel.command("SENTINEL", "REPLICAS", NAME)).toContain(`127.0.0.1:${replica.port}`);
      expect(await replica.command("GET", key)).toContain("3");
    }, PATIENCE);
    await master.kill();
    await expect(counters.countInWindow("k", RULE)).rejects.toThrow();
    const outcome = await eventually(() => counters.countInWindow("k", RULE), PATIENCE);
    // An event that the client gave up on may have been counted all the same; none of the three is forgotten.
    expect(outcome.remaining).toBeLessThan(2);
    expect(await sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)).toContain(String(replica.port));
  });

  it("cannot be asked when the sentinels refuse the password", async () => {
    const config = {
      ...PASSWORDS,
      sentinel_password: "wrong",
      redis_sentinels: [{ host: "127.0.0.1", port: sentinel.port }],
      redis_master_name: NAME,
      redis_read_timeout: 300,
    };
    const other = createRedisClient("redis-sentinel", config, DEPS);
    const counters = new RedisCounters(other, "plugin-test", { clock: systemClock, logger: silentLogger });
    await expect(counters.countInWindow("k", RULE)).rejects.toThrow();
    other.close();
  });
});
