import { GatewayError } from "@fngate/kernel";
import type { PluginCatalog } from "@fngate/plugin-kit";
import { checkPlugins, checkValue, type Keyring, type ResourceDefinition } from "@fngate/schema";
import { keyPartOf } from "./identifier.ts";
import { type JsonObject, memberOf } from "./json.ts";
import { assertReferencesExist, type ReferenceScope } from "./references.ts";
import { sealedKeyProblem } from "./secrets-at-rest.ts";
import type { Uniqueness } from "./uniqueness.ts";

/** What checking an object looks at beside the object. */
export interface CheckScope extends ReferenceScope {
  readonly uniqueness: Uniqueness;
  /** What private keys in the store are encrypted with; absent: ciphertext is taken as it is. */
  readonly keyring: Keyring | undefined;
}

/** What the checks of an object by itself look at. */
type OwnScope = Pick<CheckScope, "catalog" | "keyring">;

/** An object on its way into the store. */
export interface Candidate {
  readonly value: JsonObject;
  /** Id as it came; undefined when the store will give one. */
  readonly id: unknown;
  readonly urlId: string | undefined;
  /** What follows the kind's directory in its key; called after the schema has seen the id. */
  readonly storeId: (id: string) => string;
}

/**
 * Checks an object before it is stored, in APISIX's order: early rules, schema, cross-field rules, references,
 * plugins, expressions, other objects, late references. The object itself is not changed: defaults are the data
 * plane's business. Raises `RESOURCE_INVALID` with the whole text for the client.
 */
export async function assertValid(
  definition: ResourceDefinition,
  candidate: Candidate,
  scope: CheckScope,
): Promise<void> {
  const { value, id, urlId, storeId } = candidate;
  const parsed = parseShape(definition, { value, id, urlId }, scope);
  const { references } = definition;
  await assertReferencesExist(
    references.filter(({ isLate }) => isLate !== true),
    value,
    scope,
  );
  assertContents(definition, { value, parsed }, scope.catalog);
  const ownId = id === undefined ? undefined : storeId(keyPartOf(id));
  await scope.uniqueness.assertUnique(definition, ownId, value);
  await assertReferencesExist(
    references.filter(({ isLate }) => isLate === true),
    value,
    scope,
  );
}

/** {@link assertValid} without references, for objects that are validated together with what they refer to. */
export async function assertValidAlone(
  definition: ResourceDefinition,
  candidate: Omit<Candidate, "urlId">,
  scope: OwnScope & Pick<CheckScope, "uniqueness">,
): Promise<void> {
  const { value, id, storeId } = candidate;
  const parsed = parseShape(definition, { value, id, urlId: undefined }, scope);
  assertContents(definition, { value, parsed }, scope.catalog);
  if (id !== undefined) await scope.uniqueness.assertUnique(definition, storeId(keyPartOf(id)), value);
}

/** The checks of the object by itself; returns it with defaults. */
function parseShape(
  definition: ResourceDefinition,
  { value, id, urlId }: Omit<Candidate, "storeId">,
  { catalog, keyring }: OwnScope,
): unknown {
  refuseIf(definition.precheck?.(value));
  const checked = checkValue(schemaOf(definition, id, catalog), value);
  if (!checked.ok) throw new GatewayError("RESOURCE_INVALID", `invalid configuration: ${checked.message}`);
  refuseIf(definition.check?.(checked.value, urlId));
  refuseIf(sealedKeyProblem(definition, value, keyring));
  return checked.value;
}

function schemaOf(definition: ResourceDefinition, id: unknown, catalog: PluginCatalog): ResourceDefinition["schema"] {
  if (definition.schemaFor === undefined) return definition.schema;
  const text = String(id);
  const schema = definition.schemaFor(text, catalog);
  if (schema !== undefined) return schema;
  throw new GatewayError("RESOURCE_INVALID", definition.unknownId?.(text) ?? `unknown ${definition.label}: ${text}`);
}

/** The checks of what the object carries for others to run. */
function assertContents(
  definition: ResourceDefinition,
  { value, parsed }: { readonly value: JsonObject; readonly parsed: unknown },
  catalog: PluginCatalog,
): void {
  if (definition.plugins !== undefined) {
    refuseIf(checkPlugins(memberOf(value, "plugins"), { catalog, which: definition.plugins }));
  }
  refuseIf(definition.lateCheck?.(parsed, catalog));
}

function refuseIf(problem: string | undefined): void {
  if (problem !== undefined) throw new GatewayError("RESOURCE_INVALID", problem);
}
