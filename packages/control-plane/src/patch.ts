import { isJsonObject, type JsonObject, memberOf, tableOf, withMember } from "./json.ts";

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
