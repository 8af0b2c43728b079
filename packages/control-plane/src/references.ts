import { GatewayError } from "@fngate/kernel";
import { directoryOf, keyOf, type ResourceDefinition, type ResourceReference } from "@fngate/schema";
import type { BoundedStore } from "./bounded-store.ts";
import { isJsonObject, type JsonObject, memberOf } from "./json.ts";
import { parseStoredResource } from "./stored-resource.ts";

/** The kinds there are, as the registry of the schema package lists them. */
export interface KindList {
  /** Kinds that the uniform verbs serve. */
  all(): readonly ResourceDefinition[];
  /** Those and all others that may lie in the store. */
  known(): readonly ResourceDefinition[];
  byKind(kind: string): ResourceDefinition | undefined;
}

/** Where references are looked up: in the store itself, never in a copy that lags behind it. */
export interface ReferenceScope {
  readonly store: BoundedStore;
  readonly prefix: string;
  readonly kinds: KindList;
}

/** Raises `RESOURCE_INVALID` for the first reference of an object that leads nowhere or to the wrong thing. */
export async function assertReferencesExist(
  definition: ResourceDefinition,
  value: JsonObject,
  scope: ReferenceScope,
): Promise<void> {
  for (const reference of definition.references) {
    const id = idAt(value, reference.path);
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
  for (const user of scope.kinds.known()) {
    const references = user.references.filter(({ kind, isWeak }) => kind === definition.kind && isWeak !== true);
    if (references.length === 0) continue;
    const found = await findUser(user, (value) => references.some(({ path }) => idAt(value, path) === id), scope);
    if (found === undefined) continue;
    const name = `${user.kind} [${found}]`;
    throw new GatewayError(
      "RESOURCE_IN_USE",
      definition.inUseMessage?.(name) ?? `can not delete this ${definition.label}, ${name} is still using it now`,
    );
  }
}

async function findUser(
  user: ResourceDefinition,
  isUser: (value: JsonObject) => boolean,
  { store, prefix }: ReferenceScope,
): Promise<string | undefined> {
  const directory = directoryOf(prefix, user);
  const { entries } = await store.list(directory);
  const idOf = ({ key }: { readonly key: string }) => key.slice(directory.length);
  const found = entries.find((entry) => {
    const resource = isIdOf(user, idOf(entry)) ? parseStoredResource(entry) : undefined;
    return resource !== undefined && isUser(resource.value);
  });
  return found === undefined ? undefined : idOf(found);
}

/** Tells whether the rest of a store key behind a kind's directory is an id of that kind; sub-resources are not. */
export function isIdOf(definition: ResourceDefinition, id: string): boolean {
  return (definition.idPattern ?? /^[^/]+$/).test(id);
}

/** An id as text; objects that APISIX wrote may hold it as a number. */
function idAt(value: JsonObject, path: readonly string[]): string | undefined {
  let current: unknown = value;
  for (const name of path) current = isJsonObject(current) ? memberOf(current, name) : undefined;
  return typeof current === "string" || typeof current === "number" ? String(current) : undefined;
}
