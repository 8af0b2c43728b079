/** What YAML can hold, as plain data. */
export type Tree = string | number | boolean | null | readonly Tree[] | TreeMap;

/** A map of a {@link Tree}; never holds `__proto__`. */
export interface TreeMap {
  readonly [key: string]: Tree;
}

/** Where a value stands: map keys and list positions from the root. */
export type Path = readonly (string | number)[];

/** Keys that would reach an object's prototype when assigned; no configuration key is named so. */
const FORBIDDEN_KEYS = new Set(["__proto__", "constructor", "prototype"]);

/** Tells whether a map key may not be taken over into a {@link TreeMap}. */
export function isForbiddenKey(key: string): boolean {
  return FORBIDDEN_KEYS.has(key);
}

/** Tells maps from lists and scalars. */
export function isTreeMap(value: Tree | undefined): value is TreeMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A path as people write it: `deployment.admin.admin_key[0].key`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}

/** The value at a path, or nothing. */
export function valueAt(tree: Tree | undefined, path: Path): Tree | undefined {
  let current = tree;
  for (const step of path) {
    if (Array.isArray(current) && typeof step === "number") current = current[step];
    else if (isTreeMap(current) && Object.hasOwn(current, step)) current = current[step];
    else return undefined;
  }
  return current;
}

/** A copy of `tree` with `value` at the path of map keys `path`; makes the maps on the way. */
export function withValueAt(tree: TreeMap, path: readonly string[], value: Tree): TreeMap {
  const [step, ...rest] = path;
  if (step === undefined || isForbiddenKey(step)) return tree;
  if (rest.length === 0) return { ...tree, [step]: value };
  const child = Object.hasOwn(tree, step) ? tree[step] : undefined;
  return { ...tree, [step]: withValueAt(isTreeMap(child) ? child : {}, rest, value) };
}

/**
 * Lays `over` on `base` as APISIX lays config.yaml on its defaults: maps merge key by key, lists and scalars
 * replace, null removes the default.
 *
 * An empty map merges like any other map; APISIX takes it for an empty list and lets it replace the default.
 */
export function mergeTrees(base: TreeMap, over: TreeMap): TreeMap {
  const merged: Record<string, Tree> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (isForbiddenKey(key)) continue;
    const existing = Object.hasOwn(merged, key) ? merged[key] : undefined;
    if (value === null) delete merged[key];
    else if (isTreeMap(value)) merged[key] = mergeTrees(isTreeMap(existing) ? existing : {}, value);
    else merged[key] = value;
  }
  return merged;
}
