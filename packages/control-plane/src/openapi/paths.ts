import type { ResourceDefinition, ResourceMethod } from "@fngate/schema";
import { type Json, schemaRef, shape } from "./schemas.ts";

const TEXT = { type: "string" };
const INDEX = { type: "integer", description: "Revision of the store." };

/** The operations on one kind of resource, by path. */
export function resourcePaths(definition: ResourceDefinition): Readonly<Record<string, Json>> {
  const { kind, naming } = definition;
  const base = (naming?.path ?? `/${definition.plural}`).replace(":parent", "{parent}");
  const parents = naming?.parent === undefined ? [] : [pathParameter("parent", `Id of the ${naming.parent.kind}.`)];
  const isSplit = naming?.segments === 2;
  const ids = isSplit
    ? [pathParameter("manager", "First part of the id."), pathParameter("id", "Second part of the id.")]
    : [pathParameter("id", naming?.identify === undefined ? "Id of the object." : "Name of the object.")];
  const item = `${base}${ids.map((parameter) => `/{${parameter["name"]}}`).join("")}`;
  const pick = (operations: Partial<Record<ResourceMethod, Json>>) =>
    Object.fromEntries(
      Object.entries(operations)
        .filter(([method]) => definition.methods.some((known) => known === method))
        .map(([method, operation]) => [method.toLowerCase(), { tags: [kind], ...operation }]),
    );
  return {
    [base]: {
      ...(parents.length > 0 && { parameters: parents }),
      ...pick({ GET: list(definition), POST: create(definition), PUT: isSplit ? {} : replace(definition, "InBody") }),
    },
    [item]: {
      parameters: [...parents, ...ids],
      ...pick({
        GET: read(definition),
        PUT: replace(definition),
        PATCH: patch(definition),
        DELETE: remove(definition),
      }),
    },
  };
}

function list({ kind, label }: ResourceDefinition): Json {
  return {
    operationId: `list_${kind}`,
    summary: `Lists objects of the kind ${label}.`,
    parameters: [
      query("page", "Number of the page, from 1; with page_size only.", { type: "integer", minimum: 1 }),
      query("page_size", "Objects on a page.", { type: "integer", minimum: 10, maximum: 500 }),
      query("name", "Regular expression that the name is searched for.", TEXT),
      query("label", "Key of a label that the object has.", TEXT),
      query("uri", "Regular expression that uri and uris are searched for.", TEXT),
      query("filter", "URL-encoded conditions, e.g. service_id=1.", TEXT),
    ],
    responses: {
      200: json(
        "The objects, or a page of them.",
        shape({ total: { type: "integer" }, list: { type: "array", items: stored(kind) } }),
      ),
      404: response("NotFound"),
      ...REFUSALS,
    },
  };
}

function read({ kind, label }: ResourceDefinition): Json {
  return {
    operationId: `get_${kind}`,
    summary: `Reads one ${label}.`,
    responses: { 200: { ...json("The object.", stored(kind)), headers: ETAG }, 404: response("NotFound"), ...REFUSALS },
  };
}

function create({ kind, label }: ResourceDefinition): Json {
  return {
    operationId: `create_${kind}`,
    summary: `Stores a ${label} under an id that the store gives.`,
    parameters: [TTL],
    requestBody: body(schemaRef(kind)),
    responses: { 201: written(kind, "It was stored."), ...REFUSALS },
  };
}

function replace({ kind, label }: ResourceDefinition, suffix = ""): Json {
  return {
    operationId: `put_${kind}${suffix}`,
    summary: `Stores a ${label}${suffix === "" ? "" : ", named in the body"}, whether or not it is there already.`,
    parameters: [TTL, IF_MATCH],
    requestBody: body(schemaRef(kind)),
    responses: {
      200: written(kind, "It was replaced."),
      201: written(kind, "It was stored."),
      412: response("Changed"),
      ...REFUSALS,
    },
  };
}

function patch({ kind, label }: ResourceDefinition): Json {
  return {
    operationId: `patch_${kind}`,
    summary: `Changes a ${label}: members are merged, null deletes. More path segments lead to the attribute to replace.`,
    parameters: [TTL, IF_MATCH],
    requestBody: body({ type: "object" }),
    responses: {
      200: written(kind, "The whole object."),
      404: response("NotFound"),
      412: response("Changed"),
      ...REFUSALS,
    },
  };
}

function remove({ kind, label }: ResourceDefinition): Json {
  return {
    operationId: `delete_${kind}`,
    summary: `Deletes a ${label}.`,
    parameters: [query("force", "true deletes it even while others use it.", { type: "boolean" }), IF_MATCH],
    responses: {
      200: json("It is gone.", schemaRef("Deleted")),
      404: response("NotFound"),
      412: response("Changed"),
      ...REFUSALS,
    },
  };
}

/** An object with its place in the store's history. */
function stored(kind: string): Json {
  return shape({ key: TEXT, value: schemaRef(kind), createdIndex: INDEX, modifiedIndex: INDEX });
}

function written(kind: string, description: string): Json {
  return { ...json(description, shape({ key: TEXT, value: schemaRef(kind) })), headers: ETAG };
}

function pathParameter(name: string, description: string): Json {
  return { name, in: "path", required: true, description, schema: TEXT };
}

/** An argument of the query. */
export function query(name: string, description: string, schema: Json): Json {
  return { name, in: "query", description, schema };
}

/** A JSON body of a request. */
export function body(schema: Json): Json {
  return { required: true, content: { "application/json": { schema } } };
}

/** An answer with a JSON body. */
export function json(description: string, schema: Json): Json {
  return { description, content: { "application/json": { schema } } };
}

/** One of the document's named answers. */
export function response(name: string): Json {
  return { $ref: `#/components/responses/${name}` };
}

/** What every operation may be answered with. */
export const REFUSALS: Json = { 400: response("Refused"), 401: response("Unauthorized"), 503: response("StoreAway") };

const TTL = query("ttl", "Seconds until the object disappears by itself.", { type: "integer" });
const IF_MATCH: Json = {
  name: "If-Match",
  in: "header",
  description: "Entity tags of the versions that may be changed; beyond APISIX.",
  schema: TEXT,
};
const ETAG: Json = { ETag: { description: "Entity tag of this version; beyond APISIX.", schema: TEXT } };
