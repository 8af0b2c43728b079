import { createRequire } from "node:module";
import { lazy, messageOf, timerDelay } from "@fngate/kernel";
import type { PluginDeps } from "@fngate/plugin-kit";
import type { Cluster, ClusterOptions, Redis, RedisOptions } from "ioredis";
import type { RedisConfig, RedisPolicy } from "./redis-fields.ts";

const require = createRequire(import.meta.url);
const ioredis = lazy((): typeof import("ioredis") => require("ioredis"));

/** What the counters need of Redis. */
export interface RedisClient {
  /** Runs a script that is sent whole once and by its digest afterwards; rejects when Redis cannot be asked in time. */
  run(script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<readonly unknown[]>;
  /** Takes a member out of a sorted set. */
  remove(key: string, member: string): Promise<void>;
  /** Ends the connections; nothing waits for their answers any more. */
  close(): void;
}

/** Longest wait between attempts to connect. */
const RECONNECT_MAX_MS = 2_000;

const DEFAULT_TIMEOUT_MS = 1_000;

/** What a client works with. */
export type RedisClientDeps = Pick<PluginDeps, "logger" | "trustedCertificates">;

type Trusted = RedisClientDeps["trustedCertificates"];

/** Makes a client that connects when it is first asked. */
export function createRedisClient(policy: RedisPolicy, config: RedisConfig, deps: RedisClientDeps): RedisClient {
  const { logger, trustedCertificates } = deps;
  const redis =
    policy === "redis-cluster"
      ? clusterOf(config, trustedCertificates)
      : new (ioredis().Redis)(optionsOf(policy, config, trustedCertificates));
  let isDown = false;
  redis.on("ready", () => {
    isDown = false;
  });
  // Told once per outage: while it lasts, every attempt to connect fails the same way.
  redis.on("error", (error: unknown) => {
    if (!isDown) logger.warn({ policy, reason: messageOf(error) }, "redis cannot be reached");
    isDown = true;
    // The library would go on with the server's first database, which has counters of others.
    if (isRefusedDatabase(error)) redis.disconnect(true);
  });
  return new ScriptClient(redis, timeoutOf(policy, config));
}

/** Whether Redis does not have the database that is configured. */
function isRefusedDatabase(error: unknown): boolean {
  const { command } = error as { readonly command?: { readonly name?: unknown } };
  return command?.name === "select";
}

class ScriptClient implements RedisClient {
  readonly #redis: Redis | Cluster;
  readonly #timeoutMs: number;
  readonly #names = new Map<string, string>();

  constructor(redis: Redis | Cluster, timeoutMs: number) {
    this.#redis = redis;
    this.#timeoutMs = timeoutMs;
  }

  async run(script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<readonly unknown[]> {
    const name = this.#define(script, keys.length);
    const command = (this.#redis as unknown as Record<string, ScriptCommand>)[name];
    if (command === undefined) throw new Error("the script is not defined");
    const result = await this.#inTime(command.call(this.#redis, ...keys, ...args));
    return Array.isArray(result) ? result : [];
  }

  async remove(key: string, member: string): Promise<void> {
    await this.#inTime(this.#redis.zrem(key, member));
  }

  close(): void {
    this.#redis.disconnect();
  }

  #define(script: string, numberOfKeys: number): string {
    let name = this.#names.get(script);
    if (name === undefined) {
      name = `fngateScript${this.#names.size}`;
      this.#names.set(script, name);
      this.#redis.defineCommand(name, { lua: script, numberOfKeys });
    }
    return name;
  }

  /** The library bounds commands that it sent, not those that wait for a cluster it cannot find. */
  async #inTime<TResult>(pending: Promise<TResult>): Promise<TResult> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`no answer in ${this.#timeoutMs} ms`)), this.#timeoutMs);
    try {
      return await Promise.race([pending, promise]);
    } finally {
      clearTimeout(timer);
      pending.catch(() => {});
    }
  }
}

type ScriptCommand = (...args: readonly (string | number)[]) => Promise<unknown>;

/** Longest wait for an answer, connecting included. */
function timeoutOf(policy: RedisPolicy, config: RedisConfig): number {
  if (policy !== "redis-sentinel") return waitOf(config.redis_timeout);
  return timerDelay(waitOf(config.redis_connect_timeout) + waitOf(config.redis_read_timeout));
}

function optionsOf(policy: RedisPolicy, config: RedisConfig, trusted: Trusted): RedisOptions {
  const common = { ...baseOptions(config), ...credentialsOf(config), db: config.redis_database ?? 0 };
  if (policy === "redis") {
    return { ...common, host: config.redis_host ?? "", port: config.redis_port ?? 6379, ...tlsOf(config, trusted) };
  }
  return {
    ...common,
    connectTimeout: waitOf(config.redis_connect_timeout),
    commandTimeout: waitOf(config.redis_read_timeout),
    sentinels: [...(config.redis_sentinels ?? [])],
    name: config.redis_master_name ?? "",
    role: config.redis_role ?? "master",
    ...(config.sentinel_username === undefined ? {} : { sentinelUsername: config.sentinel_username }),
    ...(config.sentinel_password === undefined ? {} : { sentinelPassword: config.sentinel_password }),
    sentinelRetryStrategy: backoff,
  };
}

function clusterOf(config: RedisConfig, trusted: Trusted): Cluster {
  const tls = { redis_ssl: config.redis_cluster_ssl, redis_ssl_verify: config.redis_cluster_ssl_verify };
  const options: ClusterOptions = {
    lazyConnect: true,
    clusterRetryStrategy: backoff,
    slotsRefreshTimeout: waitOf(config.redis_timeout),
    redisOptions: {
      ...baseOptions(config),
      ...credentialsOf(config),
      ...tlsOf(tls, trusted),
    },
  };
  return new (ioredis().Cluster)([...(config.redis_cluster_nodes ?? [])].map(nodeOf), options);
}

/** Setting a plugin up opens no connection; a command waits no longer than the timeout, connected or not. */
function baseOptions(config: RedisConfig): RedisOptions {
  const timeoutMs = waitOf(config.redis_timeout);
  return {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: backoff,
  };
}

/** A configured wait, milliseconds. */
function waitOf(timeoutMs = DEFAULT_TIMEOUT_MS): number {
  return timerDelay(timeoutMs);
}

function credentialsOf({ redis_password: password, redis_username: username }: RedisConfig): RedisOptions {
  if (password === undefined || password === "") return {};
  return username === undefined ? { password } : { username, password };
}

function tlsOf(config: Partial<RedisConfig>, trusted: Trusted): RedisOptions {
  const { redis_ssl: isOn, redis_ssl_verify: isVerified } = config;
  if (isOn !== true) return {};
  return { tls: isVerified === true ? { ca: [...trusted()] } : { rejectUnauthorized: false } };
}

function backoff(attempt: number): number {
  return Math.min(attempt * 50, RECONNECT_MAX_MS);
}

function nodeOf(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(":");
  return colon < 0 ? { host: text, port: 6379 } : { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}
