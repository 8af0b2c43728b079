import { APISIX_PLUGINS } from "../apisix-plugins.ts";
import { defineResource } from "../definition.ts";
import { openObject } from "../fields/container.ts";
import { id } from "../fields/shared.ts";
import { byUrl } from "../naming.ts";

/** What the metadata of a plugin without a schema for it looks like, and of one that is not here. */
const anyMetadata = openObject({ id: id.optional() });

/** Settings of a plugin for the whole gateway; the id is the plugin's name, whose own schema applies. APISIX: plugin metadata. */
export const pluginMetadata = defineResource({
  kind: "plugin_metadata",
  plural: "plugin_metadata",
  label: "plugin_metadata",
  schema: anyMetadata,
  methods: ["GET", "PUT", "DELETE"],
  hasTimestamps: false,
  naming: { identify: byUrl, missing: { PUT: "missing plugin name" } },
  schemaFor: (name, catalog) => {
    const plugin = catalog.get(name);
    if (plugin === undefined) return APISIX_PLUGINS.has(name) ? anyMetadata : undefined;
    return plugin.metadataSchema ?? anyMetadata;
  },
  variants: (pluginNames) => pluginNames,
  unknownId: () => "invalid plugin name",
  references: [],
  secretFields: [],
  secretTextsOf: (name, catalog) => catalog.get(name)?.metadataSecretFields ?? [],
});
