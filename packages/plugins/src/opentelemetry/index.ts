import { definePlugin } from "@fngate/plugin-kit";
import { opentelemetryMetadataSchema } from "./metadata.ts";
import { opentelemetrySchema } from "./schema.ts";
import { traceRequests } from "./trace-requests.ts";

/** Tells a collector of every request, as part of the trace that it belongs to (APISIX: opentelemetry). */
export const opentelemetry = definePlugin({
  name: "opentelemetry",
  version: 0.1,
  priority: 12009,
  schema: opentelemetrySchema,
  metadataSchema: opentelemetryMetadataSchema,
  setup: traceRequests,
});
