import { type CheckResult, checkValue, decryptFields, type ResourceDefinition } from "@fngate/schema";
import type { ObjectStage } from "./object-stage.ts";

/** A stored object's fields, not checked. */
export type StoredValue = Readonly<Record<string, unknown>>;

type Schema = ResourceDefinition["schema"];

type Checked<TSchema extends Schema> = Extract<ReturnType<typeof checkValue<TSchema>>, { ok: true }>["value"];

/** Checks a stored object as APISIX's data plane does, by its schema alone, and fills the defaults. */
export function readResource<TSchema extends Schema>(
  definition: ResourceDefinition<string, TSchema>,
  stored: StoredValue,
  stage: ObjectStage,
): Checked<TSchema> | undefined {
  const plain = decryptFields(stored, definition.secretFields, stage.deps.keyring);
  const checked: CheckResult<Checked<TSchema>> = checkValue(definition.schema, plain);
  if (checked.ok) return checked.value;
  return stage.findings.error("INVALID_OBJECT", "", `failed to check item data: ${checked.message}`);
}
