import type { PluginDefinition } from "@fngate/plugin-kit";
import { type JsonDialect, pluginMeta, schemaToJson } from "@fngate/schema";

/** Which listeners a plugin works on. */
export type Subsystem = "http" | "stream";

/** How APISIX marks what it adds to a plugin's schema; clients may look for it. */
const INJECTION_MARK = "this is a mark for our injected plugin schema";

/** A plugin's JSON Schema with what every plugin takes beside its own fields. */
export function schemaOf(
  plugin: PluginDefinition,
  subsystem: Subsystem,
  dialect: JsonDialect = "draft-7",
): Readonly<Record<string, unknown>> {
  const own = subsystem === "stream" ? (plugin.streamSchema ?? plugin.schema) : plugin.schema;
  const schema = schemaToJson(own, dialect);
  const { $schema: _dialect, ...meta } = schemaToJson(pluginMeta, dialect);
  return {
    ...schema,
    $comment: INJECTION_MARK,
    properties: { ...schema.properties, _meta: meta },
    ...(plugin.secretFields === undefined ? {} : { encrypt_fields: plugin.secretFields }),
  };
}
