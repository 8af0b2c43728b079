import { GatewayError } from "@fngate/kernel";
import { isJsonObject, type JsonObject, memberOf, tableOf, withMember } from "./json.ts";

/** Longest attribute path; deeper values would not pass validation anyway. */
const MAX_PATH_SEGMENTS = 1000;

/**
 * The object that a PATCH makes of a stored one: without path a merge, with it the replacement of one attribute.
 * Raises `REQUEST_INVALID` when the path leads nowhere.
 */
export function applyPatch(
  stored: JsonObject,
  { path, body }: { readonly path: readonly string[]; readonly body: { readonly value: unknown } },
): JsonObject {
  if (path.length === 0) {
    return mergePatch(stored, Array.isArray(body.value) ? tableOf(body.value) : Object(body.value));
  }
  const patched = path.length > MAX_PATH_SEGMENTS ? undefined : replaceAttribute(stored, path, body.value);
  if (!isJsonObject(patched)) throw new GatewayError("REQUEST_INVALID", `invalid sub-path: /${path.join("/")}`);
  return patched;
}

/**
 * Merges a patch the way APISIX does, which is RFC 7396 except in two places: an empty object replaces what is
 * stored, and nothing is merged into a stored object that is empty. Neither input is changed.
 */
export function mergePatch(stored: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(stored));
  for (const [name, value] of Object.entries(patch)) {
    const current = merged.get(name);
    if (value === null) merged.delete(name);
    else if (isMergeable(current) && isMergeable(value)) merged.set(name, mergePatch(current, value));
    else merged.set(name, value);
  }
  return Object.fromEntries(merged);
}

/**
 * Replaces the attribute that `path` leads to and makes missing objects on the way. An array on the way becomes a
 * table with named members, which validation then refuses, as APISIX's does. Undefined when the way leads through a
 * scalar; nothing else gives undefined, as `value` is JSON.
 */
export function replaceAttribute(stored: unknown, path: readonly string[], value: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  const table = tableAt(stored);
  if (table === undefined) return undefined;
  const member = replaceAttribute(memberOf(table, name), rest, value);
  return member === undefined ? undefined : withMember(table, name, member);
}

function tableAt(stored: unknown): JsonObject | undefined {
  if (stored === undefined) return {};
  if (Array.isArray(stored)) return tableOf(stored);
  return isJsonObject(stored) ? stored : undefined;
}

function isMergeable(value: unknown): value is JsonObject {
  return isJsonObject(value) && Object.keys(value).length > 0;
}
