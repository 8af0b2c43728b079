import type { PluginCatalog } from "@fngate/plugin-kit";
import type { ResourceDefinition } from "@fngate/schema";
import { body, json, query, REFUSALS, resourcePaths, response } from "./paths.ts";
import { componentSchemas, type Json, schemaRef, shape } from "./schemas.ts";

const TEXT = { type: "string" };
const NAMES = { type: "array", items: TEXT };
const OBJECT = { type: "object" };
const SUBSYSTEM = query("subsystem", "Which listeners the plugins work on.", { enum: ["http", "stream"] });

/** What {@link renderOpenApi} describes. */
export interface DescribedApi {
  /** Kinds that are served. */
  readonly kinds: readonly ResourceDefinition[];
  readonly catalog: PluginCatalog;
  /** Version of APISIX whose API this is. */
  readonly version: string;
}

/**
 * The Admin API as an OpenAPI 3.1 document. Resources and plugins come from the definitions that validate them, so it
 * says what is enforced, as far as JSON Schema can.
 */
export function renderOpenApi({ kinds, catalog, version }: DescribedApi): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "Admin API",
      version,
      description: "The Admin API of Apache APISIX as this gateway serves it.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/apisix/admin" }],
    security: [{ header: [] }, { query: [] }, { cookie: [] }],
    tags: kinds.map(({ kind, label }) => ({ name: kind, description: `Objects of the kind ${label}.` })),
    paths: { ...Object.assign({}, ...kinds.map(resourcePaths)), ...OTHER_PATHS },
    components: {
      securitySchemes: {
        header: { type: "apiKey", in: "header", name: "X-API-KEY" },
        query: { type: "apiKey", in: "query", name: "api_key" },
        cookie: { type: "apiKey", in: "cookie", name: "x_api_key" },
      },
      responses: RESPONSES,
      schemas: componentSchemas(kinds, catalog),
    },
  };
}

const RESPONSES: Json = {
  Refused: json("The request or the object is not right.", schemaRef("Error")),
  Unauthorized: json("The key is missing, unknown or may only read.", {
    allOf: [schemaRef("Error"), shape({ description: TEXT })],
  }),
  NotFound: json("There is no such object.", schemaRef("NotFound")),
  Changed: json("If-Match does not hold: the object has changed.", schemaRef("Error")),
  StoreAway: json("The store cannot be reached, or another writer was faster too often.", schemaRef("Error")),
};

function operation(operationId: string, summary: string, more: Json): Json {
  return { operationId, summary, tags: ["other"], ...more };
}

const pathName = (name: string) => [{ name, in: "path", required: true, schema: TEXT }];

/** Paths that belong to no kind. */
const OTHER_PATHS: Readonly<Record<string, Json>> = {
  "/": {
    head: operation("is_alive", "Tells that the control plane runs.", {
      security: [],
      responses: { 200: { description: "It does." } },
    }),
  },
  "/openapi.json": {
    get: operation("get_openapi", "This document.", {
      responses: { 200: json("This document.", OBJECT), ...REFUSALS },
    }),
  },
  "/plugins/list": {
    get: operation("list_plugins", "Names of the plugins, highest priority first.", {
      parameters: [SUBSYSTEM],
      responses: { 200: json("The names.", NAMES), ...REFUSALS },
    }),
  },
  "/plugins": {
    get: operation("get_plugins", "Attributes and schemas of all plugins, by name.", {
      parameters: [query("all", "Has to be true.", { const: "true" }), SUBSYSTEM],
      responses: { 200: json("The plugins.", OBJECT), 404: response("NotFound"), ...REFUSALS },
    }),
  },
  "/plugins/{name}": {
    parameters: pathName("name"),
    get: operation("get_plugin_schema", "JSON Schema (draft 7) of a plugin's configuration.", {
      parameters: [SUBSYSTEM, query("schema_type", "consumer: the schema inside consumers.", TEXT)],
      responses: { 200: json("The schema.", OBJECT), 404: response("NotFound"), ...REFUSALS },
    }),
  },
  "/plugins/reload": {
    put: operation("reload_plugins", "Publishes the list of plugins to APISIX's data planes.", {
      responses: { 200: json("The word done.", TEXT), ...REFUSALS },
    }),
  },
  "/schema/{name}": {
    parameters: pathName("name"),
    get: operation("get_schema", "JSON Schema (draft 7) of a kind.", {
      responses: { 200: json("The schema.", OBJECT), ...REFUSALS },
    }),
  },
  "/schema/validate/{resource}": {
    parameters: pathName("resource"),
    post: operation("validate_object", "Checks an object by its kind's schema alone.", {
      requestBody: body(OBJECT),
      responses: { 200: { description: "It fits." }, 404: response("NotFound"), ...REFUSALS },
    }),
  },
  "/configs/validate": {
    post: operation("validate_configuration", "Checks a whole configuration without storing it.", {
      requestBody: {
        required: true,
        content: { "application/json": { schema: OBJECT }, "application/yaml": { schema: OBJECT } },
      },
      responses: { 200: json("It is valid.", OBJECT), ...REFUSALS },
    }),
  },
};
