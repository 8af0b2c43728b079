import { definePlugin } from "@fngate/plugin-kit";
import { ConcurrencyLimit } from "./concurrency-limit.ts";
import { limitConnSchema } from "./schema.ts";

/** Limits how many requests run at once (APISIX: limit-conn). */
export const limitConn = definePlugin({
  name: "limit-conn",
  version: 0.1,
  priority: 1003,
  schema: limitConnSchema,
  secretFields: ["redis_password"],
  setup: (config, deps) => new ConcurrencyLimit(config, deps),
});
