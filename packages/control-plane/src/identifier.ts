import { GatewayError } from "@fngate/kernel";
import { type JsonObject, memberOf } from "./json.ts";

/** What an id may be in a store key; the resource schemas say the same of the member `id`. */
const ID_PATTERN = /^[a-zA-Z0-9\-_.]{1,64}$/;

/** What the rules of {@link resolveId} look at; `label` is the kind in messages. */
export interface IdRequest {
  readonly label: string;
  /** Id in the URL. */
  readonly urlId: string | undefined;
  readonly body: JsonObject;
}

/**
 * The id that a PUT or PATCH stores: the URL's in its string form, else the body's with its own type. Raises
 * `RESOURCE_INVALID` when there is neither or when both are there and differ. Source: APISIX Admin API, ids.
 */
export function resolveId({ label, urlId, body }: IdRequest): unknown {
  const bodyId = memberOf(body, "id");
  if (urlId === undefined && bodyId === undefined) throw invalid(`missing ${label} id`);
  if (urlId === undefined) return bodyId;
  if (bodyId !== undefined && textOf(bodyId) !== urlId) throw invalid(`wrong ${label} id`);
  return urlId;
}

/** A POST gets its id from the store: one from the client raises `RESOURCE_INVALID`. */
export function assertNoId({ label, urlId, body }: IdRequest): void {
  if (urlId !== undefined || memberOf(body, "id") !== undefined) throw invalid(`wrong ${label} id, do not need it`);
}

/** The id that a PATCH or DELETE needs in its URL; raises `RESOURCE_INVALID` without one. */
export function requireId(label: string, urlId: string | undefined): string {
  if (urlId === undefined) throw invalid(`missing ${label} id`);
  return urlId;
}

/**
 * The id as part of a store key. Validation lets secret references pass as ids; as a key they could reach other
 * objects, so they raise `RESOURCE_INVALID` here.
 */
export function keyPartOf(id: unknown): string {
  const text = textOf(id);
  if (text === undefined || !ID_PATTERN.test(text)) {
    throw invalid('invalid configuration: property "id" validation failed: object matches none of the required');
  }
  return text;
}

function textOf(id: unknown): string | undefined {
  return typeof id === "string" || typeof id === "number" ? String(id) : undefined;
}

function invalid(message: string): GatewayError {
  return new GatewayError("RESOURCE_INVALID", message);
}
