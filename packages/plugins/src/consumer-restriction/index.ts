import { definePlugin } from "@fngate/plugin-kit";
import { restrictCallers } from "./restrict.ts";
import { consumerRestrictionSchema } from "./schema.ts";

/** Lets requests through or refuses them by who calls, or by route or service (APISIX: consumer-restriction). */
export const consumerRestriction = definePlugin({
  name: "consumer-restriction",
  version: 0.1,
  priority: 2400,
  schema: consumerRestrictionSchema,
  setup: restrictCallers,
});
