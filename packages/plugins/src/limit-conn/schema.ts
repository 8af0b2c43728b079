import { z } from "zod";
import { dynamicNumberField } from "../shared/limiter/dynamic-number.ts";
import { checkRedisFields, redisFields } from "../shared/limiter/redis-fields.ts";
import { refusalFields } from "../shared/limiter/refusal.ts";

const conn = () => dynamicNumberField(1);
const burst = () => dynamicNumberField(0);

const rule = z.looseObject({
  conn: conn().describe("Requests at once that go on without being held up."),
  burst: burst().describe("Requests at once over `conn` that are held up."),
  key: z.string().describe("Template of what is counted; the rule does not apply where none of its variables is set."),
});

/** Configuration of the plugin; either `conn`, `burst` and `key`, or `rules` (APISIX: limit-conn). */
export const limitConnSchema = z
  .looseObject({
    conn: conn().optional().describe("Requests at once that go on without being held up: a number or a template."),
    burst: burst().optional().describe("Requests at once over `conn` that are held up; those beyond are refused."),
    default_conn_delay: z.number().gt(0).optional().describe("Seconds that a request over `conn` is held up."),
    only_use_default_delay: z
      .boolean()
      .default(false)
      .describe("Whether that time stays what it is; else it follows how long requests take."),
    key: z.string().optional().describe("What is counted; where it is empty, the client's address."),
    key_type: z
      .enum(["var", "var_combination"])
      .default("var")
      .describe("What `key` is: a variable's name, or a template."),
    policy: z
      .enum(["redis", "redis-cluster", "local"])
      .default("local")
      .describe("Where requests are counted: in this process, or in Redis for all gateways together."),
    ...refusalFields,
    rules: z.array(rule).optional().describe("Several limits, all of which hold, in place of one."),
    key_ttl: z
      .int()
      .default(3600)
      .describe("Seconds after which a request that Redis was not told the end of counts as gone."),
    ...redisFields,
  })
  .superRefine((config, context) => {
    const message = problemOf(config);
    if (message !== undefined) context.addIssue({ code: "custom", message });
    else checkRedisFields(context, config);
  });

/** {@link limitConnSchema} with defaults filled in. */
export type LimitConnConfig = z.output<typeof limitConnSchema>;

type Checked = Pick<LimitConnConfig, "conn" | "burst" | "default_conn_delay" | "key" | "rules">;

function problemOf({ burst: over, conn: limit, default_conn_delay: delay, key, rules }: Checked): string | undefined {
  const isSingle = [limit, over, delay, key].every((value) => value !== undefined);
  const hasRules = rules !== undefined && delay !== undefined;
  if (isSingle !== hasRules) return undefined;
  const found = isSingle ? "both schemas 1 and 2" : "none";
  return `value should match only one schema, but matches ${found}`;
}
