import { definePlugin } from "@fngate/plugin-kit";
import { checkLabels } from "./check-labels.ts";
import { aclSchema } from "./schema.ts";

/** Lets consumers through, or refuses them, by their labels (APISIX: acl). */
export const acl = definePlugin({
  name: "acl",
  version: 0.1,
  priority: 2410,
  schema: aclSchema,
  setup: checkLabels,
});
