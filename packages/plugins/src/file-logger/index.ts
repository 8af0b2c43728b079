import { definePlugin } from "@fngate/plugin-kit";
import { logToFile } from "./log-to-file.ts";
import { fileLoggerMetadataSchema } from "./metadata.ts";
import { fileLoggerSchema } from "./schema.ts";

/** Appends entries about requests to a file (APISIX: file-logger). */
export const fileLogger = definePlugin({
  name: "file-logger",
  version: 0.1,
  priority: 399,
  schema: fileLoggerSchema,
  metadataSchema: fileLoggerMetadataSchema,
  setup: logToFile,
});
