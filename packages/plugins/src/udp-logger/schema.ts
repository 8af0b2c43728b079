import { z } from "zod";
import { batchFields } from "../shared/batch/batch-fields.ts";
import { checkBodyConditions, logFields } from "../shared/log/log-fields.ts";

/** Configuration of the plugin (APISIX: udp-logger). */
export const udpLoggerSchema = z
  .looseObject({
    host: z.string().describe("Name or address of the server."),
    port: z.number().int().min(0).describe("Its port."),
    timeout: z.number().int().min(1).default(3).describe("Longest time for a batch, seconds."),
    ...logFields,
    ...batchFields("udp logger"),
  })
  .superRefine(checkBodyConditions);

/** {@link udpLoggerSchema} with defaults filled in. */
export type UdpLoggerConfig = z.output<typeof udpLoggerSchema>;
