import { definePlugin } from "@fngate/plugin-kit";
import { batchRequestsMetadataSchema } from "./metadata.ts";
import { batchApi } from "./run-batch.ts";
import { batchRequestsSchema } from "./schema.ts";

/** Takes many requests in one and answers them together (APISIX: batch-requests). */
export const batchRequests = definePlugin({
  name: "batch-requests",
  version: 0.1,
  priority: 4010,
  scope: "global",
  schema: batchRequestsSchema,
  metadataSchema: batchRequestsMetadataSchema,
  setup: () => ({}),
  publicApis: (deps) => [batchApi(deps)],
});
