import { Document, isMap, isScalar, isSeq, type Node } from "yaml";
import type { LoadedConfig } from "./load.ts";
import { configSchema } from "./schema.ts";
import { noteOf, schemaFor, walk } from "./schema-walk.ts";
import { formatPath, isTreeMap, type Path, type Tree, type TreeMap } from "./tree.ts";

const REDACTED = "[redacted]";

/**
 * The configuration that holds as YAML, one comment per value saying where it comes from. Secrets are replaced
 * according to their mark in the schema, passwords inside URLs too; keys that have no effect are left out.
 */
export function printConfig({ tree, origins }: Pick<LoadedConfig, "tree" | "origins">): string {
  const document = new Document(visible(tree));
  comment(document.contents, [], (path) => origins.of(path));
  return document.toString({ lineWidth: 0 });
}

/** The part of the tree that has an effect, secrets redacted. */
function visible(tree: TreeMap): Tree {
  const secrets = new Set<string>();
  const ignored = new Set<string>();
  walk({ value: tree, schema: configSchema }, ({ path, value, schema }) => {
    if (schema === undefined) ignored.add(formatPath(path));
    else if (isSecret(schema, value)) secrets.add(formatPath(path));
    return schema !== undefined;
  });
  const show = (value: Tree, path: Path): Tree => {
    if (secrets.has(formatPath(path)) && value !== "") return redact(value);
    if (Array.isArray(value)) return value.map((item, index) => show(item, [...path, index]));
    if (isTreeMap(value)) {
      const entries = Object.entries(value).filter(([key]) => !ignored.has(formatPath([...path, key])));
      return Object.fromEntries(entries.map(([key, child]) => [key, show(child, [...path, key])]));
    }
    return typeof value === "string" ? withoutCredentials(value) : value;
  };
  return show(tree, []);
}

function isSecret(schema: NonNullable<Parameters<typeof noteOf>[0]>, value: Tree): boolean {
  return (noteOf(schema) ?? noteOf(schemaFor(schema, value)))?.isSecret === true;
}

function redact(value: Tree): Tree {
  return Array.isArray(value) ? value.map(() => REDACTED) : REDACTED;
}

function withoutCredentials(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]+@/i, `$1${REDACTED}@`);
}

function comment(node: Node | null, path: Path, originOf: (path: Path) => string): void {
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      comment(value as Node | null, [...path, String(isScalar(key) ? key.value : key)], originOf);
    }
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) comment(item as Node | null, [...path, index], originOf);
  } else if (node) {
    node.comment = ` ${originOf(path)}`;
  }
}
