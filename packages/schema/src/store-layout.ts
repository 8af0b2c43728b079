import type { ResourceDefinition } from "./definition.ts";
import { registry } from "./resources/index.ts";

/** Directories whose placeholder keys a control plane creates, so that lists of empty directories are found. APISIX: etcd layout. */
export const PLACEHOLDER_DIRECTORIES = [
  "upstreams",
  "plugins",
  "ssls",
  "stream_routes",
  "plugin_metadata",
  "routes",
  "services",
  "consumers",
  "global_rules",
  "protos",
  "plugin_configs",
  "consumer_groups",
  "secrets",
] as const;

/** Value of a placeholder key. Readers recognise it by its not being JSON. */
export const PLACEHOLDER_VALUE = "init_dir";

/** The keys of all placeholders below a prefix such as `/apisix`. */
export function placeholderKeys(prefix: string): readonly string[] {
  return PLACEHOLDER_DIRECTORIES.map((directory) => `${prefix}/${directory}/`);
}

/** Where a kind lives, with the final slash that keeps `routes` and `routes_x` apart: `/apisix/routes/`. */
export function directoryOf(prefix: string, definition: ResourceDefinition): string {
  return `${prefix}/${definition.directory ?? definition.plural}/`;
}

/** Key of one object. Ids of credentials (`jack/credentials/c1`) and secrets (`vault/1`) have several segments. */
export function keyOf(prefix: string, definition: ResourceDefinition, id: string | number): string {
  return `${directoryOf(prefix, definition)}${id}`;
}

/** What a store key names; nothing for placeholders and for keys of no known kind. */
export function parseKey(
  prefix: string,
  key: string,
): { readonly definition: ResourceDefinition; readonly id: string } | undefined {
  for (const definition of registry.all()) {
    const directory = directoryOf(prefix, definition);
    if (!key.startsWith(directory)) continue;
    const id = key.slice(directory.length);
    if ((definition.idPattern ?? SINGLE_SEGMENT).test(id)) return { definition, id };
  }
  return undefined;
}

const SINGLE_SEGMENT = /^[^/]+$/;
