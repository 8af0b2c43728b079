import { z } from "zod";
import { batchFields } from "../shared/batch/batch-fields.ts";
import { checkBodyConditions, logFields } from "../shared/log/log-fields.ts";
import { serviceUri } from "../shared/log/service-uri.ts";

/** Configuration of the plugin (APISIX: http-logger). */
export const httpLoggerSchema = z
  .looseObject({
    uri: serviceUri().describe("Where entries are posted to."),
    auth_header: z.string().optional().describe("Value of `Authorization`. Encrypted at rest."),
    timeout: z.number().int().min(1).default(3).describe("Longest time for one try, seconds."),
    concat_method: z
      .enum(["json", "new_line"])
      .default("json")
      .describe("Whether a batch is a JSON list, or text with an entry in each line."),
    ssl_verify: z.boolean().default(false).describe("Whether the certificate of an `https` address is checked."),
    ...logFields,
    ...batchFields("http logger"),
  })
  .superRefine(checkBodyConditions);

/** {@link httpLoggerSchema} with defaults filled in. */
export type HttpLoggerConfig = z.output<typeof httpLoggerSchema>;
