import { z } from "zod";
import { HTTP_METHODS } from "../shared/http-methods.ts";
import { requireAnyOf } from "../shared/required-fields.ts";

const allowedMethods = z.looseObject({
  user: z.string().optional().describe("The value that the entry is about."),
  methods: z.array(z.enum(HTTP_METHODS)).min(1).optional().describe("Methods it may use; absent: none."),
});

/** Configuration of the plugin; at least one of the lists has to be there (APISIX: consumer-restriction). */
export const consumerRestrictionSchema = requireAnyOf(
  z.looseObject({
    type: z
      .enum(["consumer_name", "service_id", "route_id", "consumer_group_id"])
      .default("consumer_name")
      .describe("What the lists name: `consumer_name`, `service_id`, `route_id` or `consumer_group_id`."),
    blacklist: z.array(z.string()).min(1).optional().describe("Values that are refused."),
    whitelist: z.array(z.string()).min(1).optional().describe("Values that alone are let through."),
    allowed_by_methods: z
      .array(allowedMethods)
      .optional()
      .describe("Methods that values may use: `{ user, methods }` each, the first entry for a value counts."),
    rejected_code: z.int().min(200).default(403).describe("Status of the answer to a refused request."),
    rejected_msg: z.string().optional().describe("`message` of that answer; absent: a text that names the type."),
  }),
  ["blacklist", "whitelist", "allowed_by_methods"],
);

/** {@link consumerRestrictionSchema} with defaults filled in. */
export type ConsumerRestrictionConfig = z.output<typeof consumerRestrictionSchema>;
