import { nearest } from "./nearest.ts";
import type { Origins } from "./origins.ts";
import { configSchema } from "./schema.ts";
import { walk } from "./schema-walk.ts";
import { formatPath, type TreeMap } from "./tree.ts";
import { UNSUPPORTED_KEYS } from "./unsupported.ts";

/** Names every key of a file that does nothing, once each, with its place and the key it may have been meant to be. */
export function findIgnoredKeys(tree: TreeMap, origins: Origins): string[] {
  const warnings: string[] = [];
  walk({ value: tree, schema: configSchema }, ({ path, schema, siblings }) => {
    if (schema !== undefined) return true;
    const key = formatPath(path);
    const reason = reasonFor(key);
    const name = String(path.at(-1));
    const near = reason === undefined ? nearest(name, siblings) : undefined;
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    warnings.push(`key ${key} ${reason ?? "is unknown"} and has no effect${hint} (${origins.of(path)})`);
    return false;
  });
  return warnings;
}

function reasonFor(key: string): string | undefined {
  for (let prefix = key; prefix !== ""; prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf(".")))) {
    const reason = UNSUPPORTED_KEYS.get(prefix);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
