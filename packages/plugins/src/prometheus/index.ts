import { definePlugin } from "@fngate/plugin-kit";
import { prometheusMetadataSchema } from "./metadata.ts";
import { metricsApis } from "./metrics-api.ts";
import { nameSeries } from "./name-series.ts";
import { prometheusSchema } from "./schema.ts";

/** Tells requests apart by consumer, and routes by name, in the gateway's request metrics (APISIX: prometheus). */
export const prometheus = definePlugin({
  name: "prometheus",
  version: 0.2,
  priority: 500,
  runPolicy: "prefer_route",
  schema: prometheusSchema,
  metadataSchema: prometheusMetadataSchema,
  setup: nameSeries,
  publicApis: metricsApis,
});
