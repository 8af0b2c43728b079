import { definePlugin } from "@fngate/plugin-kit";
import { blockUris } from "./block.ts";
import { uriBlockerSchema } from "./schema.ts";

/** Refuses requests whose path and query a regular expression occurs in (APISIX: uri-blocker). */
export const uriBlocker = definePlugin({
  name: "uri-blocker",
  version: 0.1,
  priority: 2900,
  schema: uriBlockerSchema,
  setup: blockUris,
});
