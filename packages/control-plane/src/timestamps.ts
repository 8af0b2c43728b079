import { type Clock, GatewayError } from "@fngate/kernel";
import { isJsonObject, type JsonObject, memberOf } from "./json.ts";

const STAMPS = ["create_time", "update_time"] as const;

/**
 * Raises `RESOURCE_INVALID` when a PUT or POST brings timestamps of its own, in the object, in its upstream or
 * among its plugins. The two spaces in the text are APISIX's.
 */
export function assertNoTimestamps(body: JsonObject): void {
  const places: readonly (readonly [string, unknown])[] = [
    ["", body],
    ["upstream.", memberOf(body, "upstream")],
    ["plugins.", memberOf(body, "plugins")],
  ];
  for (const [path, value] of places) {
    const found = isJsonObject(value) ? STAMPS.find((stamp) => memberOf(value, stamp) !== undefined) : undefined;
    if (found !== undefined) throw new GatewayError("RESOURCE_INVALID", `the property is forbidden:  ${path}${found}`);
  }
}

/** Stamps what a PUT or POST stores: the creation time of the object it replaces, if that has one, and now (Unix seconds). */
export function stampWrite(value: JsonObject, previous: JsonObject | undefined, nowSeconds: number): JsonObject {
  const created = previous === undefined ? undefined : memberOf(previous, "create_time");
  return { ...value, create_time: created ?? nowSeconds, update_time: nowSeconds };
}

/** Stamps what a PATCH stores; a merge that brings its own `update_time` keeps it. */
export function stampPatch(merged: JsonObject, patch: unknown, nowSeconds: number): JsonObject {
  const own = isJsonObject(patch) ? memberOf(patch, "update_time") : undefined;
  return own === undefined || own === null ? { ...merged, update_time: nowSeconds } : merged;
}

/** The time as objects have it: Unix seconds. */
export function nowSeconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}
