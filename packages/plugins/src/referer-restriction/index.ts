import { definePlugin } from "@fngate/plugin-kit";
import { restrictReferers } from "./restrict.ts";
import { refererRestrictionSchema } from "./schema.ts";

/** Lets requests through or refuses them by the host of their `Referer` (APISIX: referer-restriction). */
export const refererRestriction = definePlugin({
  name: "referer-restriction",
  version: 0.1,
  priority: 2990,
  schema: refererRestrictionSchema,
  setup: restrictReferers,
});
