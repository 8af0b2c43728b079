import type { z } from "zod";
import { INJECTION_MARK } from "./fragments.ts";
import { type JsonDialect, schemaToJson } from "./json-schema.ts";
import { type CheckablePlugin, pluginMeta } from "./plugin-check.ts";

/** Which listeners a plugin works on. */
export type Subsystem = "http" | "stream";

/** What is told of a plugin beside its schemas; every `PluginDefinition` of the plugin kit is one. */
export interface DescribablePlugin extends CheckablePlugin {
  readonly version: number;
  readonly priority: number;
  readonly scope?: "global";
  /** Dotted paths of the configuration that are encrypted at rest. */
  readonly secretFields?: readonly string[];
  /** Dotted paths of the configuration inside consumers that are encrypted at rest. */
  readonly consumerSecretFields?: readonly string[];
}

/** One plugin with all its schemas, as APISIX's lists of plugins show it. */
export function describePluginSchemas(plugin: DescribablePlugin, subsystem: Subsystem): object {
  return {
    priority: plugin.priority,
    version: plugin.version,
    schema: pluginSchemaToJson(plugin, subsystem),
    ...(plugin.metadataSchema === undefined ? {} : { metadata_schema: schemaToJson(plugin.metadataSchema) }),
    ...(plugin.consumerSchema === undefined ? {} : { consumer_schema: consumerSchemaToJson(plugin) }),
    ...(plugin.type === undefined ? {} : { type: plugin.type }),
    ...(plugin.scope === undefined ? {} : { scope: plugin.scope }),
  };
}

/** A plugin's schema inside consumers, or else its own. */
export function consumerSchemaToJson(plugin: DescribablePlugin): z.core.JSONSchema.BaseSchema {
  const json = schemaToJson(plugin.consumerSchema ?? plugin.schema);
  const { consumerSecretFields } = plugin;
  return consumerSecretFields === undefined ? json : { ...json, encrypt_fields: consumerSecretFields };
}

/** A plugin's schema with what every plugin takes beside its own fields. */
export function pluginSchemaToJson(
  plugin: DescribablePlugin,
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
