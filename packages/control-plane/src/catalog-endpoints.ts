import { GatewayError, messageOf } from "@fngate/kernel";
import type { PluginCatalog, PluginDefinition } from "@fngate/plugin-kit";
import {
  checkValue,
  consumerSchemaToJson,
  describePluginSchemas,
  pluginSchemaToJson,
  type Subsystem,
  schemaFragment,
  toJsonSchema,
} from "@fngate/schema";
import type { AdminHandler, AdminRequest } from "./admin-request.ts";
import type { BoundedStore } from "./bounded-store.ts";
import type { AdminReply } from "./http-status.ts";
import type { KindList } from "./references.ts";

/** What the endpoints work with. */
export interface CatalogScope {
  readonly store: BoundedStore;
  readonly prefix: string;
  readonly kinds: KindList;
  readonly catalog: PluginCatalog;
  /** Loads the plugins again; absent: they are what they are. */
  readonly reloadPlugins?: (() => Promise<void>) | undefined;
}

/** What clients may ask about schemas and plugins; none of it reads the store. Source: APISIX Admin API, other endpoints. */
export interface CatalogEndpoints {
  /** `GET /plugins/list`: names, highest priority first. */
  readonly listPlugins: AdminHandler;
  /** `GET /plugins/<name>` and `GET /plugins?all=true`. */
  readonly showPlugin: AdminHandler;
  /** `GET /schema/<kind>`, and the parts of schemas that have names. */
  readonly showSchema: AdminHandler;
  /** `PUT /plugins/reload`: loads plugins again and tells data planes which ones there are. */
  readonly reloadPlugins: AdminHandler;
  /** Any other verb there. */
  readonly refuseReload: AdminHandler;
  /** `POST /schema/validate/<plural>`: the schema alone, without references or plugins. */
  readonly validate: AdminHandler;
}

/** Builds the endpoints over the registry and the plugin catalog. */
export function catalogEndpoints(scope: CatalogScope): CatalogEndpoints {
  const { kinds, catalog } = scope;
  return {
    reloadPlugins: () => reloadPlugins(scope),
    refuseReload: ({ method }) => ({
      status: 405,
      body: { error_msg: `please use PUT method to reload the plugins, ${method} method is not allowed.` },
    }),
    listPlugins: ({ query }) => {
      const subsystem = query.get("subsystem") ?? "http";
      if (subsystem !== "http" && subsystem !== "stream") return { status: 400, body: "invalid subsystem passed" };
      return { status: 200, body: pluginsOf(catalog, subsystem).map(({ name }) => name) };
    },
    showPlugin: (request) => showPlugin(catalog, request),
    showSchema: ({ param }) => {
      const name = param("id") ?? "";
      const definition = kinds.byKind(name);
      const schema = definition === undefined ? schemaFragment(name) : toJsonSchema(definition);
      if (schema === undefined) throw new GatewayError("REQUEST_INVALID", `not found schema: ${name}`);
      return { status: 200, body: schema };
    },
    validate: ({ param, body }) => {
      const plural = param("plural") ?? "";
      const definition = kinds.all().find((candidate) => candidate.plural === plural);
      if (definition === undefined) {
        throw new GatewayError("RESOURCE_KIND_UNKNOWN", `Unsupported resource type: ${plural}`);
      }
      const checked = checkValue(definition.schema, body?.value);
      if (!checked.ok) throw new GatewayError("RESOURCE_INVALID", checked.message);
      return { status: 200 };
    },
  };
}

/** Loads plugins again where there are such, and tells the data planes by writing the list of all of them. */
async function reloadPlugins({ store, prefix, catalog, reloadPlugins: load }: CatalogScope): Promise<AdminReply> {
  try {
    await load?.();
  } catch (error) {
    return { status: 503, body: { error_msg: `plugins cannot be loaded again: ${messageOf(error)}` } };
  }
  const names = [
    ...pluginsOf(catalog, "http").map(({ name }) => ({ name })),
    ...pluginsOf(catalog, "stream").map(({ name }) => ({ name, stream: true })),
  ];
  await store.put(`${prefix}/plugins`, JSON.stringify(names));
  return { status: 200, body: "done" };
}

function showPlugin(catalog: PluginCatalog, { param, query }: AdminRequest): AdminReply {
  const subsystem = query.get("subsystem") ?? "http";
  if (subsystem !== "http" && subsystem !== "stream") {
    throw new GatewayError("REQUEST_INVALID", `unsupported subsystem: ${subsystem}`);
  }
  const plugins = pluginsOf(catalog, subsystem);
  if (param("id") === undefined && query.get("all") === "true") {
    return {
      status: 200,
      body: Object.fromEntries(plugins.map((plugin) => [plugin.name, describePluginSchemas(plugin, subsystem)])),
    };
  }
  const plugin = plugins.find(({ name }) => name === param("id"));
  if (plugin === undefined) {
    return { status: 404, body: { error_msg: `plugin not found in subsystem ${subsystem}` } };
  }
  if (query.get("schema_type") === "consumer") {
    if (plugin.consumerSchema === undefined) throw new GatewayError("REQUEST_INVALID", "not found schema");
    return { status: 200, body: consumerSchemaToJson(plugin) };
  }
  return { status: 200, body: pluginSchemaToJson(plugin, subsystem) };
}

/** Every plugin here works on HTTP, on streams those that say so. */
function pluginsOf(catalog: PluginCatalog, subsystem: Subsystem): readonly PluginDefinition[] {
  return subsystem === "http" ? catalog.all() : catalog.all().filter(({ streamSchema }) => streamSchema !== undefined);
}
