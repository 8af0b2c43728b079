import { z } from "zod";
import { batchFields } from "../shared/batch/batch-fields.ts";
import { checkBodyConditions, logFields } from "../shared/log/log-fields.ts";

const whole = () => z.number().int();

/** Configuration of the plugin (APISIX: syslog). */
export const syslogSchema = z
  .looseObject({
    host: z.string().describe("Name or address of the server."),
    port: whole().describe("Its port."),
    sock_type: z.enum(["tcp", "udp"]).default("tcp").describe("Transport."),
    tls: z
      .boolean()
      .default(false)
      .describe("Whether TLS is spoken over `tcp`. The server's certificate is not checked."),
    timeout: whole().min(1).default(3000).describe("Longest wait without progress, milliseconds."),
    flush_limit: whole().min(1).default(4096).describe("Taken and not used: a batch is sent at once."),
    drop_limit: whole().default(1048576).describe("Taken and not used: `max_pending_entries` bounds what waits."),
    pool_size: whole().min(5).default(5).describe("Taken and not used: a batch has a connection of its own."),
    ...logFields,
    ...batchFields("sys logger"),
  })
  .superRefine(checkBodyConditions);

/** {@link syslogSchema} with defaults filled in. */
export type SyslogConfig = z.output<typeof syslogSchema>;
