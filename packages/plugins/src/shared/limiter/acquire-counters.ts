import { createHash } from "node:crypto";
import type { Usage } from "@fngate/kernel";
import type { PluginDeps } from "@fngate/plugin-kit";
import { gaugeRoom, type RoomGauges } from "../room-gauges.ts";
import type { Counters } from "./counters.ts";
import { LOCAL_COUNTERS_BYTES, LocalCounters } from "./local-counters.ts";
import { createRedisClient } from "./redis-client.ts";
import { RedisCounters } from "./redis-counters.ts";
import { type RedisConfig, type RedisPolicy, redisAndSentinelFields } from "./redis-fields.ts";

/** A configuration that says where to count. */
export type CountersConfig = Partial<RedisConfig> & { readonly policy: "local" | RedisPolicy };

/**
 * The counters of a plugin's policy: those of this process are one, those of Redis one per way to reach it. Both
 * outlive reloads; release them in `dispose`.
 */
export function acquireCounters(plugin: string, config: CountersConfig, deps: PluginDeps): Usage<Counters> {
  const { clock, logger, shared } = deps;
  const { policy } = config;
  if (policy === "local") return acquireLocal(plugin, deps);
  const usage = shared.acquire(
    nameOf(policy, config),
    () => {
      const client = createRedisClient(policy, config, deps);
      return { client, counters: new RedisCounters(client, `plugin-${plugin}`, { clock, logger }) };
    },
    ({ client }) => client.close(),
  );
  return { value: usage.value.counters, release: () => usage.release() };
}

/** Tells how full it is from the first counter on: places of requests under way are not bounded in bytes. */
function acquireLocal(plugin: string, { clock, metrics, shared }: PluginDeps): Usage<Counters> {
  const usage = shared.acquire(
    "local",
    () => {
      let room: RoomGauges | undefined;
      const counters = new LocalCounters(clock, (bytes) => {
        room ??= gaugeRoom(metrics, `plugin-${plugin}`, LOCAL_COUNTERS_BYTES);
        room.tell(bytes);
      });
      return { counters, end: () => room?.remove() };
    },
    ({ end }) => end(),
  );
  return { value: usage.value.counters, release: () => usage.release() };
}

/** A name for a way to reach Redis; hashed, because it holds passwords. */
function nameOf(policy: RedisPolicy, config: CountersConfig): string {
  const fields = Object.keys(redisAndSentinelFields).map((field) => config[field as keyof RedisConfig] ?? null);
  return `${policy} ${createHash("sha256").update(JSON.stringify(fields)).digest("hex")}`;
}
