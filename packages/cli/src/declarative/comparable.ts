import { isDeepStrictEqual } from "node:util";
import type { ResourceDefinition } from "@fngate/schema";

/** A JSON object. */
export type Value = Readonly<Record<string, unknown>>;

/** What the gateway adds to objects by itself. */
const TIMESTAMPS = ["create_time", "update_time"];

/** An object as it is written: without the timestamps that a gateway sets by itself and takes from nobody. */
export function writableValue(definition: ResourceDefinition, value: Value): Value {
  return definition.hasTimestamps ? without(value, TIMESTAMPS) : value;
}

/** Dotted paths, at most two deep, at which two versions of an object differ in what an Admin API shows of it. */
export function differences(definition: ResourceDefinition, before: Value, after: Value): readonly string[] {
  const shown = [before, after].map((value) => {
    const visible = (definition.hiddenFields ?? []).reduce((rest, path) => withoutPath(rest, path.split(".")), value);
    return without(writableValue(definition, visible), ["id"]);
  });
  return differingPaths(shown[0] ?? {}, shown[1] ?? {}, 2);
}

function differingPaths(before: Value, after: Value, depth: number): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].sort().flatMap((name) => {
    const [left, right] = [own(before, name), own(after, name)];
    if (isDeepStrictEqual(left, right)) return [];
    if (depth === 1 || !isRecord(left) || !isRecord(right)) return [name];
    return differingPaths(left, right, depth - 1).map((rest) => `${name}.${rest}`);
  });
}

function withoutPath(value: Value, [name, ...rest]: readonly string[]): Value {
  if (name === undefined) return value;
  if (rest.length === 0) return without(value, [name]);
  const member = own(value, name);
  return isRecord(member) ? { ...value, [name]: withoutPath(member, rest) } : value;
}

function without(value: Value, names: readonly string[]): Value {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

function own(value: Value, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function isRecord(value: unknown): value is Value {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
