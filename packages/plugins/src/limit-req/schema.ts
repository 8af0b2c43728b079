import { z } from "zod";
import { checkRedisFields, redisFields } from "../shared/limiter/redis-fields.ts";
import { refusalFields } from "../shared/limiter/refusal.ts";

/** Configuration of the plugin (APISIX: limit-req). */
export const limitReqSchema = z
  .looseObject({
    rate: z.number().gt(0).describe("Requests per second that go on at once."),
    burst: z.number().min(0).describe("Requests over the rate that are held up; those beyond are refused."),
    key: z.string().describe("What is counted; where it is empty, the client's address."),
    key_type: z
      .enum(["var", "var_combination"])
      .default("var")
      .describe("What `key` is: a variable's name, or a template."),
    policy: z
      .enum(["redis", "redis-cluster", "local"])
      .default("local")
      .describe("Where requests are counted: in this process, or in Redis for all gateways together."),
    ...refusalFields,
    nodelay: z.boolean().default(false).describe("Whether requests within the burst go on without being held up."),
    ...redisFields,
  })
  .superRefine((config, context) => checkRedisFields(context, config));

/** {@link limitReqSchema} with defaults filled in. */
export type LimitReqConfig = z.output<typeof limitReqSchema>;
