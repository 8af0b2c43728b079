import { defineResource } from "../definition.ts";
import { closedObject } from "../fields/container.ts";
import { id, metadata, plugins } from "../fields/shared.ts";
import { text } from "../fields/text.ts";

/** Plugins that several routes share. APISIX: plugin config. */
export const pluginConfig = defineResource({
  kind: "plugin_config",
  plural: "plugin_configs",
  label: "plugin config",
  schema: closedObject({
    ...metadata,
    id,
    name: text().optional(),
    plugins,
  }),
  methods: ["GET", "PUT", "PATCH", "DELETE"],
  hasTimestamps: true,
  plugins: "main",
  references: [],
  secretFields: [],
});
