import { GatewayError } from "@fngate/kernel";
import { byUrlOrBody, type ResourceDefinition } from "@fngate/schema";
import { type JsonObject, memberOf } from "./json.ts";

/** What each segment of an id may be in a store key; the resource schemas say the same of most ids, and less of length. */
const SEGMENT_PATTERN = /^[a-zA-Z0-9\-_.]{1,256}$/;

/** Which object a URL names. */
export interface Place {
  /** Id of the object that owns it; only for kinds that live below another. */
  readonly parent?: string | undefined;
  /** Its id; absent for lists and for ids that the body has or the store gives. */
  readonly id?: string | undefined;
  /** What ids start with, for lists of a part of a kind: `vault` of `vault/1`. */
  readonly idStart?: string | undefined;
}

/** Reads a {@link Place} off a URL; `path` is what follows the id. */
export function placeOf(
  definition: ResourceDefinition,
  url: { readonly parent: string | undefined; readonly id: string | undefined; readonly rest: readonly string[] },
): { readonly place: Place; readonly path: readonly string[] } {
  const { parent, id, rest } = url;
  const { segments, hasSubPaths = true } = definition.naming ?? {};
  if (id === undefined || segments !== 2) return { place: { parent, id }, path: hasSubPaths ? rest : [] };
  const [second, ...path] = rest;
  if (second === undefined) return { place: { parent, idStart: id }, path: [] };
  return { place: { parent, id: `${id}/${second}` }, path };
}

/** What follows a kind's directory in the key of the object with an id; without an id, what all such keys start with. */
export function storeIdOf(definition: ResourceDefinition, { parent, id, idStart }: Place): string {
  const own = id ?? (idStart === undefined ? "" : `${idStart}/`);
  return parent === undefined ? own : `${parent}/${definition.plural}/${own}`;
}

/**
 * The id that a PUT or PATCH stores and the object with it, as the kind's naming rules say. Raises `RESOURCE_INVALID`
 * when there is none or when URL and body differ. Source: APISIX Admin API, ids.
 */
export function identify(
  definition: ResourceDefinition,
  urlId: string | undefined,
  body: JsonObject,
): { readonly id: unknown; readonly value: JsonObject } {
  const { label, naming } = definition;
  const identified = (naming?.identify ?? byUrlOrBody)({ label, urlId, body });
  if (identified.ok) return identified;
  throw identified.problem === "missing" ? missingId(definition, "PUT") : invalid(`wrong ${label} id`);
}

/** A POST gets its id from the store: one from the client raises `RESOURCE_INVALID`. */
export function assertNoId({ label }: ResourceDefinition, urlId: string | undefined, body: JsonObject): void {
  if (urlId !== undefined || memberOf(body, "id") !== undefined) throw invalid(`wrong ${label} id, do not need it`);
}

/** The id that a request needs in its URL; raises `RESOURCE_INVALID` without one. */
export function requireId(
  definition: ResourceDefinition,
  urlId: string | undefined,
  method: "PATCH" | "DELETE",
): string {
  if (urlId === undefined) throw missingId(definition, method);
  return urlId;
}

/**
 * The id as part of a store key. Validation lets secret references pass as ids; as a key they could reach other
 * objects, so they raise `RESOURCE_INVALID` here.
 */
export function keyPartOf(id: unknown): string {
  const text = typeof id === "string" || typeof id === "number" ? String(id) : "";
  if (!text.split("/").every((segment) => SEGMENT_PATTERN.test(segment))) {
    throw invalid('invalid configuration: property "id" validation failed: object matches none of the required');
  }
  return text;
}

function missingId({ label, naming }: ResourceDefinition, method: "PUT" | "PATCH" | "DELETE"): GatewayError {
  return invalid(naming?.missing?.[method] ?? `missing ${label} id`);
}

function invalid(message: string): GatewayError {
  return new GatewayError("RESOURCE_INVALID", message);
}
