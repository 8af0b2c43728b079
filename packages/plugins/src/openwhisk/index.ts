import { definePlugin } from "@fngate/plugin-kit";
import { invokeAction } from "./invoke.ts";
import { openwhiskSchema } from "./schema.ts";

/** Calls an OpenWhisk action in place of the route's upstream (APISIX: openwhisk). */
export const openwhisk = definePlugin({
  name: "openwhisk",
  version: 0.1,
  priority: -1901,
  schema: openwhiskSchema,
  secretFields: ["service_token"],
  setup: invokeAction,
});
