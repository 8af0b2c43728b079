import { GatewayError } from "@fngate/kernel";
import type { PluginCatalog, PluginReference } from "@fngate/plugin-kit";
import { directoryOf, keyOf, type ResourceDefinition, type ResourceReference, type ResourceUser } from "@fngate/schema";
import type { StoreEntry } from "@fngate/store";
import type { BoundedStore } from "./bounded-store.ts";
import { isJsonObject, type JsonObject, memberOf, valuesAt } from "./json.ts";
import type { StoreMirror } from "./store-mirror.ts";
import { parseStoredResource } from "./stored-resource.ts";

/** The kinds there are, as the registry of the schema package lists them. */
export interface KindList {
  all(): readonly ResourceDefinition[];
  byKind(kind: string): ResourceDefinition | undefined;
}

/** Where references are looked up: single objects in the store itself, users among all objects in its mirror. */
export interface ReferenceScope {
  readonly store: BoundedStore;
  readonly mirror: StoreMirror;
  readonly prefix: string;
  readonly kinds: KindList;
  readonly catalog: PluginCatalog;
}

/** Raises `RESOURCE_INVALID` for the first of some references of an object that leads nowhere or to the wrong thing. */
export async function assertReferencesExist(
  references: readonly ResourceReference[],
  value: JsonObject,
  scope: ReferenceScope,
): Promise<void> {
  for (const reference of references) {
    const [id] = idsAt(value, reference.path);
    if (id === undefined) continue;
    const problem = await referenceProblem(reference, id, scope);
    if (problem !== undefined) throw new GatewayError("RESOURCE_INVALID", problem);
  }
}

async function referenceProblem(
  reference: ResourceReference,
  id: string,
  { store, prefix, kinds }: ReferenceScope,
): Promise<string | undefined> {
  const target = kinds.byKind(reference.kind);
  // A kind this gateway does not know has no objects it could use, whatever the store holds.
  const entry = target === undefined ? undefined : await store.get(keyOf(prefix, target, id));
  const found = entry === undefined ? undefined : parseStoredResource(entry);
  if (found !== undefined) return reference.accepts?.(found.value, id);
  const label = target?.label ?? reference.kind.replaceAll("_", " ");
  return reference.missing?.(id) ?? `failed to fetch ${label} info by ${label} id [${id}], response code: 404`;
}

/** Raises `RESOURCE_IN_USE` for the first object of any kind that names the one to be deleted. */
export async function assertUnused(definition: ResourceDefinition, id: string, scope: ReferenceScope): Promise<void> {
  const view = await scope.mirror.read();
  const pluginReferences = pluginReferencesTo(definition, scope.catalog);
  for (const user of scope.kinds.all()) {
    const references = user.references.filter(({ kind, isWeak }) => kind === definition.kind && isWeak !== true);
    const hasPlugins = user.plugins !== undefined && pluginReferences.size > 0;
    if (references.length === 0 && !hasPlugins) continue;
    const paths = references.map(({ path }) => path);
    const place = { id, paths, pluginReferences: hasPlugins ? pluginReferences : new Map() };
    const directory = directoryOf(scope.prefix, user);
    for (const entry of view.of(user).byKey) {
      const found = useIn(entry, place);
      if (found !== undefined) throw inUse(definition, user, { id: entry.key.slice(directory.length), ...found });
    }
  }
}

type PluginReferences = ReadonlyMap<string, readonly PluginReference[]>;

/** Fields of plugins' configurations that name objects of a kind, by plugin. */
function pluginReferencesTo({ kind }: ResourceDefinition, catalog: PluginCatalog): PluginReferences {
  const ofPlugin = catalog.all().map(({ name, references = [] }) => {
    return [name, references.filter((reference) => reference.kind === kind)] as const;
  });
  return new Map(ofPlugin.filter(([, references]) => references.length > 0));
}

/** How an object uses the one with `id`: through a plugin (APISIX looks there first), by itself, or not. */
function useIn(
  entry: StoreEntry,
  place: {
    readonly id: string;
    readonly paths: readonly (readonly string[])[];
    readonly pluginReferences: PluginReferences;
  },
): { readonly plugin?: string } | undefined {
  const { id, paths, pluginReferences } = place;
  // No writer escapes the characters of an id, so most objects need not be parsed.
  if (!entry.value.includes(id)) return undefined;
  const value = parseStoredResource(entry)?.value;
  if (value === undefined) return undefined;
  const plugins = memberOf(value, "plugins");
  for (const [plugin, references] of pluginReferences) {
    const conf = isJsonObject(plugins) ? memberOf(plugins, plugin) : undefined;
    if (references.some(({ path }) => idsAt(conf, path.split(".")).includes(id))) return { plugin };
  }
  return paths.some((path) => idsAt(value, path).includes(id)) ? {} : undefined;
}

function inUse(
  definition: ResourceDefinition,
  { kind, pluginUserName = kind }: ResourceDefinition,
  use: { readonly id: string; readonly plugin?: string },
): GatewayError {
  const user: ResourceUser = { kind, ...use };
  const name = use.plugin === undefined ? `${kind} [${use.id}]` : `plugin in ${pluginUserName} [${use.id}]`;
  return new GatewayError(
    "RESOURCE_IN_USE",
    definition.inUseMessage?.(user) ?? `can not delete this ${definition.label}, ${name} is still using it now`,
  );
}

/** Ids as text; objects that APISIX wrote may hold them as numbers. */
function idsAt(value: unknown, path: readonly string[]): readonly string[] {
  return valuesAt(value, path).flatMap((id) => (typeof id === "string" || typeof id === "number" ? [String(id)] : []));
}
