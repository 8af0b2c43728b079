import { z } from "zod";
import { batchFields } from "../shared/batch/batch-fields.ts";
import { checkBodyConditions, logFields } from "../shared/log/log-fields.ts";

/** Configuration of the plugin (APISIX: tcp-logger). */
export const tcpLoggerSchema = z
  .looseObject({
    host: z.string().describe("Name or address of the server."),
    port: z.number().int().min(0).describe("Its port."),
    tls: z.boolean().default(false).describe("Whether TLS is spoken. The server's certificate is not checked."),
    tls_options: z.string().optional().describe("Name that is asked for with TLS; absent: the host."),
    timeout: z.number().int().min(1).default(1000).describe("Longest wait without progress, milliseconds."),
    ...logFields,
    ...batchFields("tcp logger"),
  })
  .superRefine(checkBodyConditions);

/** {@link tcpLoggerSchema} with defaults filled in. */
export type TcpLoggerConfig = z.output<typeof tcpLoggerSchema>;
