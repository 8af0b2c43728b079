import { definePlugin } from "@fngate/plugin-kit";
import { batchLoggerMetadataSchema } from "../shared/log/log-fields.ts";
import { logToLoki } from "./log-to-loki.ts";
import { lokiLoggerSchema } from "./schema.ts";

/** Sends entries about requests to Grafana Loki (APISIX: loki-logger). */
export const lokiLogger = definePlugin({
  name: "loki-logger",
  version: 0.1,
  priority: 414,
  schema: lokiLoggerSchema,
  secretFields: ["headers"],
  metadataSchema: batchLoggerMetadataSchema,
  setup: logToLoki,
});
