import { definePlugin } from "@fngate/plugin-kit";
import { restrictAgents } from "./restrict.ts";
import { uaRestrictionSchema } from "./schema.ts";

/** Lets clients through or refuses them by `User-Agent` (APISIX: ua-restriction). */
export const uaRestriction = definePlugin({
  name: "ua-restriction",
  version: 0.1,
  priority: 2999,
  schema: uaRestrictionSchema,
  setup: restrictAgents,
});
