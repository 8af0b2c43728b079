import { defineResource } from "../definition.ts";
import { openObject } from "../fields/container.ts";
import { id } from "../fields/shared.ts";

/** Settings of a plugin for the whole gateway; the id is the plugin's name, whose own schema applies. APISIX: plugin metadata. */
export const pluginMetadata = defineResource({
  kind: "plugin_metadata",
  plural: "plugin_metadata",
  label: "plugin_metadata",
  schema: openObject({ id: id.optional() }),
  methods: ["GET", "PUT", "DELETE"],
  hasTimestamps: false,
  references: [],
  secretFields: [],
  needsOwnApi: true,
});
