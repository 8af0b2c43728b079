import { z } from "zod";
import { batchFields } from "../shared/batch/batch-fields.ts";
import { checkBodyConditions, logFields } from "../shared/log/log-fields.ts";
import { serviceUri } from "../shared/log/service-uri.ts";

const texts = () => z.record(z.string(), z.string().min(1));

const whole = () => z.number().int();

/** Configuration of the plugin (APISIX: loki-logger). */
export const lokiLoggerSchema = z
  .looseObject({
    endpoint_addrs: z.array(serviceUri()).min(1).describe("Addresses of Loki, one of which is chosen for each try."),
    endpoint_uri: z.string().min(1).default("/loki/api/v1/push").describe("Path that follows the address."),
    tenant_id: z.string().default("fake").describe("Loki's tenant, sent as `X-Scope-OrgID`."),
    headers: texts().optional().describe("Further header fields. Encrypted at rest."),
    log_labels: texts().default({ job: "apisix" }).describe("Labels of the streams, with `$variables`."),
    ssl_verify: z.boolean().default(false).describe("Whether the certificate of an `https` address is checked."),
    timeout: whole().min(1).max(60_000).default(3000).describe("Longest time for one try, milliseconds."),
    keepalive: z.boolean().default(true).describe("Whether connections are kept for the next batch."),
    keepalive_timeout: whole().min(1000).default(60_000).describe("Taken and not used: 30 seconds for all plugins."),
    keepalive_pool: whole().min(1).default(5).describe("Taken and not used: connections are kept as they come."),
    ...logFields,
    ...batchFields("loki logger"),
  })
  .superRefine(checkBodyConditions);

/** {@link lokiLoggerSchema} with defaults filled in. */
export type LokiLoggerConfig = z.output<typeof lokiLoggerSchema>;
