import { z } from "zod";

/** Policies that count in Redis. */
export type RedisPolicy = "redis" | "redis-cluster" | "redis-sentinel";

const idleTime = (text: string) => z.int().min(1000).optional().describe(text);

/** Fields of one Redis server, and those that clusters share with it (APISIX: redis-schema). Wire names. */
const serverFields = {
  redis_host: z.string().min(2).optional().describe("Host of the Redis server; required for policy `redis`."),
  redis_port: z.int().min(1).optional().describe("Port of the Redis server; absent: 6379."),
  redis_username: z.string().min(1).optional().describe("User of the Redis server."),
  redis_password: z.string().optional().describe("Password of the Redis server or cluster."),
  redis_database: z.int().min(0).optional().describe("Number of the database; absent: 0."),
  redis_timeout: z.int().min(1).optional().describe("Milliseconds to connect and to wait for an answer; absent: 1000."),
  redis_ssl: z.boolean().optional().describe("Whether the Redis server is spoken to over TLS."),
  redis_ssl_verify: z.boolean().optional().describe("Whether its certificate is verified."),
  redis_keepalive_timeout: idleTime("Taken and not needed: one connection is kept for all requests."),
  redis_keepalive_pool: z.int().min(1).optional().describe("Taken and not needed, as `redis_keepalive_timeout`."),
};

const clusterFields = {
  redis_cluster_nodes: z
    .array(z.string().min(2).max(100))
    .min(1)
    .optional()
    .describe("`host:port` of some nodes; required for policy `redis-cluster`."),
  redis_cluster_name: z.string().optional().describe("Name of the cluster; required for policy `redis-cluster`."),
  redis_cluster_ssl: z.boolean().optional().describe("Whether the nodes are spoken to over TLS."),
  redis_cluster_ssl_verify: z.boolean().optional().describe("Whether their certificates are verified."),
};

const sentinelFields = {
  redis_sentinels: z
    .array(z.strictObject({ host: z.string().min(2), port: z.int().min(1).max(65_535) }))
    .min(1)
    .optional()
    .describe("Sentinels to ask; required for policy `redis-sentinel`."),
  redis_master_name: z
    .string()
    .min(1)
    .optional()
    .describe("Name that the sentinels know the master by; required for policy `redis-sentinel`."),
  redis_role: z.enum(["master", "slave"]).optional().describe("Which of the servers to use; absent: `master`."),
  redis_connect_timeout: z.int().min(1).optional().describe("Milliseconds to connect; absent: 1000."),
  redis_read_timeout: z.int().min(1).optional().describe("Milliseconds to wait for an answer; absent: 1000."),
  sentinel_username: z.string().min(1).optional().describe("User of the sentinels."),
  sentinel_password: z.string().optional().describe("Password of the sentinels."),
};

/** Fields of the policies `redis` and `redis-cluster`. */
export const redisFields = { ...serverFields, ...clusterFields };

/** {@link redisFields} and those of `redis-sentinel`. */
export const redisAndSentinelFields = { ...redisFields, ...sentinelFields };

/** How to reach Redis, as configured. */
export type RedisConfig = z.output<z.ZodObject<typeof redisAndSentinelFields>>;

const REQUIRED: Readonly<Record<RedisPolicy, readonly (keyof RedisConfig)[]>> = {
  redis: ["redis_host"],
  "redis-cluster": ["redis_cluster_nodes", "redis_cluster_name"],
  "redis-sentinel": ["redis_sentinels", "redis_master_name"],
};

/** Reports that a policy lacks what it needs, in the words of APISIX's validator. */
export function checkRedisFields(
  context: z.core.$RefinementCtx,
  config: Partial<RedisConfig> & { readonly policy: "local" | RedisPolicy },
): void {
  const { policy } = config;
  if (policy === "local" || REQUIRED[policy].every((field) => config[field] !== undefined)) return;
  context.addIssue({ code: "custom", message: `${policy === "redis" ? "then" : "else"} clause did not match` });
}
