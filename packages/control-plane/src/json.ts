/** A JSON object as it came from a client or the store. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Tells whether a decoded JSON value is an object, arrays and null excluded. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object's own member; inherited names such as `constructor` are not members. */
export function memberOf(value: JsonObject, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** A copy with one member replaced or added; `__proto__` is a name like any other. */
export function withMember(value: JsonObject, name: string, member: unknown): JsonObject {
  return Object.fromEntries([...Object.entries(value).filter(([key]) => key !== name), [name, member]]);
}

function withoutMember(value: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
}

/** A copy without the member that a path leads to; the value itself when there is none. */
export function withoutPath(value: JsonObject, path: readonly string[]): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (rest.length === 0) return withoutMember(value, name);
  const member = memberOf(value, name);
  return isJsonObject(member) ? withMember(value, name, withoutPath(member, rest)) : value;
}

/** Lua's view of an array: a table with the keys "1", "2", …; how APISIX comes to name them in messages. */
export function tableOf(items: readonly unknown[]): JsonObject {
  return Object.fromEntries(items.map((item, index) => [String(index + 1), item]));
}

/** What a path leads to; an array on the way leads to each of its items. */
export function valuesAt(value: unknown, path: readonly string[]): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => valuesAt(item, path));
  const [name, ...rest] = path;
  if (name === undefined) return [value];
  return isJsonObject(value) && Object.hasOwn(value, name) ? valuesAt(value[name], rest) : [];
}
