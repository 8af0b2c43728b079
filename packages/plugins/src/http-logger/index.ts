import { definePlugin } from "@fngate/plugin-kit";
import { batchLoggerMetadataSchema } from "../shared/log/log-fields.ts";
import { logToHttp } from "./log-to-http.ts";
import { httpLoggerSchema } from "./schema.ts";

/** Sends entries about requests to an HTTP service (APISIX: http-logger). */
export const httpLogger = definePlugin({
  name: "http-logger",
  version: 0.1,
  priority: 410,
  schema: httpLoggerSchema,
  secretFields: ["auth_header"],
  metadataSchema: batchLoggerMetadataSchema,
  setup: logToHttp,
});
