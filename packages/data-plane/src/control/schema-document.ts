import type { PluginCatalog } from "@fngate/plugin-kit";
import { describePluginSchemas, registry, toJsonSchema } from "@fngate/schema";

/** Kinds that APISIX's document leaves out. */
const OMITTED: ReadonlySet<string> = new Set(["credential", "plugin_metadata", "secret"]);

/** The list of plugins that the store may hold, and what a hash key of an upstream looks like (APISIX: schema_def). */
const PLAIN_SCHEMAS = {
  plugins: {
    type: "array",
    items: {
      type: "object",
      properties: { name: { type: "string", minLength: 1 }, stream: { type: "boolean" } },
      required: ["name"],
    },
  },
  upstream_hash_vars_schema: {
    type: "string",
    pattern:
      "^((uri|server_name|server_addr|request_uri|remote_port|remote_addr|query_string|host|hostname|mqtt_client_id)|arg_[0-9a-zA-z_-]+)$",
  },
  upstream_hash_header_schema: { type: "string", pattern: "^[a-zA-Z0-9-_]+$" },
};

/** Every schema there is: of the kinds of objects and of the plugins (APISIX: Control API, `/v1/schema`). */
export function schemaDocument(catalog: PluginCatalog): object {
  const kinds = registry.all().filter(({ kind }) => !OMITTED.has(kind));
  const plugins = catalog.all();
  const streamPlugins = plugins.filter(({ streamSchema }) => streamSchema !== undefined);
  return {
    main: {
      ...Object.fromEntries(kinds.map((definition) => [definition.kind, toJsonSchema(definition)])),
      ...PLAIN_SCHEMAS,
    },
    plugins: Object.fromEntries(plugins.map((plugin) => [plugin.name, describePluginSchemas(plugin, "http")])),
    stream_plugins: Object.fromEntries(
      streamPlugins.map((plugin) => [plugin.name, describePluginSchemas(plugin, "stream")]),
    ),
  };
}
