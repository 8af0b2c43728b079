import { definePlugin } from "@fngate/plugin-kit";
import { z } from "zod";
import { backlogFields } from "../shared/batch/batch-fields.ts";
import { zipkinSchema } from "./schema.ts";
import { traceRequests } from "./trace-requests.ts";

/** Tells a Zipkin server of requests, as part of the traces that they belong to (APISIX: zipkin). */
export const zipkin = definePlugin({
  name: "zipkin",
  version: 0.1,
  priority: 12011,
  schema: zipkinSchema,
  metadataSchema: z.looseObject(backlogFields),
  setup: traceRequests,
});
