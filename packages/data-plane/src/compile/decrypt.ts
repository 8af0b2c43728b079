import { decryptFields, type Keyring } from "@fngate/schema";

/**
 * {@link decryptFields}, which copies the whole value, only for values that have one of the fields: most have none,
 * and a start with 100,000 objects would copy them all.
 */
export function decryptPresentFields<TValue>(value: TValue, paths: readonly string[], keyring: Keyring): TValue {
  return paths.some((path) => hasField(value, path.split("."))) ? decryptFields(value, paths, keyring) : value;
}

function hasField(value: unknown, path: readonly string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some((item) => hasField(item, path));
  const [name, ...rest] = path;
  if (name === undefined || !Object.hasOwn(value, name)) return false;
  return rest.length === 0 || hasField(Reflect.get(value, name), rest);
}
