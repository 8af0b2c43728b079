import { GatewayError } from "@fngate/kernel";
import type { PluginCatalog } from "@fngate/plugin-kit";
import { checkPlugins, checkValue, type ResourceDefinition } from "@fngate/schema";
import { type JsonObject, memberOf } from "./json.ts";
import { assertReferencesExist, type ReferenceScope } from "./references.ts";

/** What checking an object looks at beside the object. */
export interface CheckScope extends ReferenceScope {
  readonly catalog: PluginCatalog;
}

/**
 * Checks an object before it is stored, in APISIX's order: early rules, schema, cross-field rules, references,
 * plugins, expressions. The object itself is not changed: defaults are the data plane's business. Raises
 * `RESOURCE_INVALID` with the whole text for the client.
 */
export async function assertValid(definition: ResourceDefinition, value: JsonObject, scope: CheckScope): Promise<void> {
  const parsed = parseShape(definition, value);
  await assertReferencesExist(definition, value, scope);
  assertContents(definition, { value, parsed }, scope.catalog);
}

/** {@link assertValid} without references, for objects that are validated together with what they refer to. */
export function assertValidAlone(definition: ResourceDefinition, value: JsonObject, catalog: PluginCatalog): void {
  const parsed = parseShape(definition, value);
  assertContents(definition, { value, parsed }, catalog);
}

/** The checks of the object by itself; returns it with defaults. */
function parseShape(definition: ResourceDefinition, value: JsonObject): unknown {
  refuseIf(definition.precheck?.(value));
  const checked = checkValue(definition.schema, value);
  if (!checked.ok) throw new GatewayError("RESOURCE_INVALID", `invalid configuration: ${checked.message}`);
  refuseIf(definition.check?.(checked.value));
  return checked.value;
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
  refuseIf(definition.lateCheck?.(parsed));
}

function refuseIf(problem: string | undefined): void {
  if (problem !== undefined) throw new GatewayError("RESOURCE_INVALID", problem);
}
