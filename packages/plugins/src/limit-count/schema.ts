import { z } from "zod";
import { dynamicNumberField } from "../shared/limiter/dynamic-number.ts";
import { checkRedisFields, redisAndSentinelFields } from "../shared/limiter/redis-fields.ts";
import { refusalFields } from "../shared/limiter/refusal.ts";

const count = () => dynamicNumberField(1);

const rule = z.looseObject({
  count: count().describe("Requests allowed in a window."),
  time_window: count().describe("Seconds of a window."),
  key: z.string().describe("Template of what is counted; the rule does not apply where none of its variables is set."),
  header_prefix: z
    .string()
    .optional()
    .describe("Put into the names of the quota's headers; absent: the rule's number."),
});

const BOTH = "count/time_window and rules cannot be specified at the same time";

/** Configuration of the plugin; either `count` and `time_window`, or `rules` (APISIX: limit-count). */
export const limitCountSchema = z
  .looseObject({
    count: count().optional().describe("Requests allowed in a window: a number, or a template that makes one."),
    time_window: count().optional().describe("Seconds of a window: a number, or a template that makes one."),
    window_type: z
      .enum(["fixed", "sliding"])
      .default("fixed")
      .describe("`fixed`: a window begins with its first request. `sliding`: the past one still counts in part."),
    rules: z.array(rule).optional().describe("Several limits, all of which hold, in place of one."),
    group: z.string().optional().describe("Configurations of one group, which have to be equal, count together."),
    key: z.string().default("remote_addr").describe("What is counted; where it is empty, the client's address."),
    key_type: z
      .enum(["var", "var_combination", "constant"])
      .default("var")
      .describe("What `key` is: a variable's name, a template, or a fixed text."),
    ...refusalFields,
    policy: z
      .enum(["local", "redis", "redis-cluster", "redis-sentinel"])
      .default("local")
      .describe("Where requests are counted: in this process, or in Redis for all gateways together."),
    show_limit_quota_header: z.boolean().default(true).describe("Whether answers tell the quota in `X-RateLimit-*`."),
    sync_interval: z
      .number()
      .default(-1)
      .describe("Taken for compatibility: Redis is always asked at once, as with -1."),
    ...redisAndSentinelFields,
  })
  .superRefine((config, context) => {
    const problem = problemOf(config);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    else checkRedisFields(context, config);
  });

/** {@link limitCountSchema} with defaults filled in. */
export type LimitCountConfig = z.output<typeof limitCountSchema>;

/** One of the rules, as parsed. */
export type LimitCountRule = z.output<typeof rule>;

type Checked = Pick<LimitCountConfig, "count" | "time_window" | "rules" | "group" | "policy" | "sync_interval">;

function problemOf(config: Checked): string | undefined {
  const { count: limit, group, rules, time_window: window } = config;
  if (rules === undefined && (limit === undefined || window === undefined)) {
    return "value should match only one schema, but matches none";
  }
  if (rules !== undefined && (limit !== undefined || window !== undefined)) return BOTH;
  if (rules !== undefined && group !== undefined) return "group and rules cannot be specified at the same time";
  return syncProblem(config) ?? duplicateKey(rules ?? []);
}

function syncProblem({ policy, sync_interval: interval, time_window: window }: Checked): string | undefined {
  if (policy === "local" || interval === -1) return undefined;
  if (interval < 0.1) return "sync_interval should not be smaller than 0.1";
  const isTooLong = typeof window === "number" && interval >= window;
  return isTooLong ? "sync_interval should be smaller than time_window" : undefined;
}

/** Rules with one key would count in one place. */
function duplicateKey(rules: readonly LimitCountRule[]): string | undefined {
  const keys = rules.map(({ key }) => key);
  const duplicate = keys.find((key, index) => keys.indexOf(key) !== index);
  return duplicate === undefined ? undefined : `duplicate key '${duplicate}' in rules`;
}
