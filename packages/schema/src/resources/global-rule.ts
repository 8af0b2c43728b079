import { defineResource } from "../definition.ts";
import { closedObject } from "../fields/container.ts";
import { id, plugins, timestamp } from "../fields/shared.ts";

/** Plugins that run for every request. APISIX: global rule. */
export const globalRule = defineResource({
  kind: "global_rule",
  plural: "global_rules",
  label: "global rule",
  schema: closedObject({
    id,
    plugins,
    create_time: timestamp.optional(),
    update_time: timestamp.optional(),
  }),
  methods: ["GET", "PUT", "PATCH", "DELETE"],
  hasTimestamps: true,
  plugins: "main",
  references: [],
  secretFields: [],
  // A plugin may stand in one rule only, which takes a look at the other rules.
  needsOwnApi: true,
});
