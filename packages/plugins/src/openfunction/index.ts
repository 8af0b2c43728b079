import { definePlugin } from "@fngate/plugin-kit";
import { invokeOpenfunction } from "./invoke.ts";
import { openfunctionSchema } from "./schema.ts";

/** Calls an OpenFunction function in place of the route's upstream (APISIX: openfunction). */
export const openfunction = definePlugin({
  name: "openfunction",
  version: 0.1,
  priority: -1902,
  schema: openfunctionSchema,
  secretFields: ["authorization.service_token"],
  setup: invokeOpenfunction,
});
