import { z } from "zod";

const attribute = z.union([z.boolean(), z.number(), z.string()]);

/**
 * Metadata of the plugin, for which `plugin_attr` stands in where it is absent; without either the plugin does nothing
 * (APISIX: opentelemetry). Times are seconds.
 */
export const opentelemetryMetadataSchema = z.looseObject({
  trace_id_source: z.enum(["x-request-id", "random"]).default("random").describe("Where ids of new traces come from."),
  resource: z.record(z.string(), attribute).optional().describe("Attributes of the gateway itself."),
  collector: z
    .looseObject({
      address: z.string().default("127.0.0.1:4318").describe("`host:port`, or a URL without path."),
      request_timeout: z.int().default(3),
      request_headers: z.record(z.string(), attribute).optional(),
    })
    .prefault({}),
  batch_span_processor: z
    .looseObject({
      drop_on_queue_full: z.boolean().optional(),
      max_queue_size: z.int().optional(),
      batch_timeout: z.number().optional(),
      inactive_timeout: z.number().optional(),
      max_export_batch_size: z.int().optional(),
    })
    .prefault({}),
  set_ngx_var: z.boolean().default(false).describe("Whether the trace is told in variables."),
});

/** {@link opentelemetryMetadataSchema} with defaults filled in. */
export type OpentelemetryMetadata = z.output<typeof opentelemetryMetadataSchema>;
