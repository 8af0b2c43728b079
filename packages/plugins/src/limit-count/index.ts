import { definePlugin } from "@fngate/plugin-kit";
import { limitCountMetadataSchema } from "./metadata.ts";
import { RequestQuota } from "./request-quota.ts";
import { limitCountSchema } from "./schema.ts";

/** Limits how many requests may come in a window of time (APISIX: limit-count). */
export const limitCount = definePlugin({
  name: "limit-count",
  version: 0.5,
  priority: 1002,
  schema: limitCountSchema,
  secretFields: ["redis_password", "sentinel_password"],
  metadataSchema: limitCountMetadataSchema,
  setup: (config, deps) => new RequestQuota(config, deps),
});
