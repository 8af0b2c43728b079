import { defineResource } from "../definition.ts";
import { closedObject } from "../fields/container.ts";
import { isRecord } from "../fields/rules.ts";
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
  pluginUserName: "global_rules",
  uniqueness: {
    among: ["global_rule"],
    claims: ({ plugins: configured }) =>
      (isRecord(configured) ? Object.keys(configured) : []).map((name) => ({
        text: name,
        conflict: ({ id: ruleId }) => `plugin '${name}' already exists in global rule with id '${ruleId}'`,
      })),
  },
});
