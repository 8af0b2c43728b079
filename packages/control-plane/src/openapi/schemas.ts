import type { PluginCatalog, PluginDefinition } from "@fngate/plugin-kit";
import { pluginSchemaToJson, type ResourceDefinition, type Subsystem, schemaToJson } from "@fngate/schema";

/** A JSON Schema of draft 2020-12, or any other part of an OpenAPI document. */
export type Json = Readonly<Record<string, unknown>>;

const DIALECT = "draft-2020-12";

/** A reference to one of the document's named schemas. */
export function schemaRef(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

/** A closed object of which every member is there. */
export function shape(properties: Json): Json {
  return { type: "object", required: Object.keys(properties), properties };
}

/** The bodies that are not resources. Source: APISIX Admin API, response shapes. */
const ENVELOPES: Json = {
  Error: shape({ error_msg: { type: "string" } }),
  NotFound: {
    type: "object",
    description: "An object that is not there has a message, everything else an error_msg.",
    anyOf: [shape({ message: { type: "string" } }), shape({ error_msg: { type: "string" } })],
  },
  Deleted: shape({ deleted: { type: "string", description: "How many, as text." }, key: { type: "string" } }),
};

/** Every named schema of the document: resources, plugins and envelopes. */
export function componentSchemas(kinds: readonly ResourceDefinition[], catalog: PluginCatalog): Json {
  return Object.fromEntries([
    ...Object.entries(ENVELOPES),
    ...kinds.map((definition) => [definition.kind, resourceSchema(definition, catalog)] as const),
    ...pluginSchemas(catalog),
  ]);
}

/** A resource as clients send it; its id may stand in the URL instead. */
function resourceSchema(definition: ResourceDefinition, catalog: PluginCatalog): Json {
  const names = catalog.all().map(({ name }) => name);
  const variants = definition.variants?.(names).flatMap((id) => definition.schemaFor?.(id, catalog) ?? []);
  if (variants !== undefined && variants.length > 0) return { anyOf: variants.map((schema) => plain(schema)) };
  const { required = [], properties = {}, ...json } = plain(definition.schema);
  const demanded = required.filter((name) => name !== "id");
  return {
    ...json,
    ...(demanded.length === 0 ? {} : { required: demanded }),
    properties:
      definition.plugins === undefined ? properties : { ...properties, plugins: schemaRef(LISTS[definition.plugins]) },
  };
}

/** Names of the schemas that say which plugins may stand where. */
const LISTS = { main: "plugins", consumer: "plugins.consumer", stream: "plugins.stream" } as const;

function pluginSchemas(catalog: PluginCatalog): readonly (readonly [string, Json])[] {
  const all = catalog.all();
  const withConsumer = all.filter(({ consumerSchema }) => consumerSchema !== undefined);
  const withStream = all.filter(({ streamSchema }) => streamSchema !== undefined);
  const consumerName = (plugin: PluginDefinition) =>
    `plugin.${plugin.name}${withConsumer.includes(plugin) ? ".consumer" : ""}`;
  return [
    [LISTS.main, mapOfPlugins(all, ({ name }) => `plugin.${name}`)],
    [LISTS.consumer, mapOfPlugins(all, consumerName)],
    [LISTS.stream, mapOfPlugins(withStream, ({ name }) => `plugin.${name}.stream`)],
    ...all.map((plugin) => [`plugin.${plugin.name}`, pluginSchema(plugin, "http")] as const),
    ...withConsumer.flatMap(({ name, consumerSchema }) =>
      consumerSchema === undefined ? [] : [[`plugin.${name}.consumer`, plain(consumerSchema)] as const],
    ),
    ...withStream.map((plugin) => [`plugin.${plugin.name}.stream`, pluginSchema(plugin, "stream")] as const),
  ];
}

function mapOfPlugins(plugins: readonly PluginDefinition[], nameOf: (plugin: PluginDefinition) => string): Json {
  return {
    type: "object",
    properties: Object.fromEntries(plugins.map((plugin) => [plugin.name, schemaRef(nameOf(plugin))])),
    additionalProperties: false,
  };
}

function pluginSchema(plugin: PluginDefinition, subsystem: Subsystem): Json {
  const { $schema: _dialect, ...json } = pluginSchemaToJson(plugin, subsystem, DIALECT);
  return json;
}

/** A schema without the line that names its dialect, which the document says once for all. */
function plain(schema: ResourceDefinition["schema"]) {
  const { $schema: _dialect, ...json } = schemaToJson(schema, DIALECT);
  return json;
}
