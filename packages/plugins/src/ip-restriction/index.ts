import { definePlugin } from "@fngate/plugin-kit";
import { restrictAddresses } from "./restrict.ts";
import { ipRestrictionSchema } from "./schema.ts";

/** Lets clients through or refuses them by address (APISIX: ip-restriction). */
export const ipRestriction = definePlugin({
  name: "ip-restriction",
  version: 0.1,
  priority: 3000,
  schema: ipRestrictionSchema,
  setup: restrictAddresses,
});
