import { definePlugin } from "@fngate/plugin-kit";
import { authorizeRequests } from "./authorize.ts";
import { opaSchema } from "./schema.ts";

/** Lets an Open Policy Agent decide about requests (APISIX: opa). */
export const opa = definePlugin({
  name: "opa",
  version: 0.1,
  priority: 2001,
  schema: opaSchema,
  setup: authorizeRequests,
});
