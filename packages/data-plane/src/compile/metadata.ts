import { checkValue, decryptFields } from "@fngate/schema";
import { buildObject, type ObjectStage } from "./object-stage.ts";
import { resolveReferences } from "./resolve-references.ts";
import type { CompiledMetadata } from "./snapshot.ts";
import type { StoredValue } from "./stored-object.ts";

/** Compiles a plugin's metadata; nothing, and no finding, for a plugin that is not here (APISIX plugins, metadata). */
export function compileMetadata(id: string, stored: StoredValue, stage: ObjectStage): CompiledMetadata | undefined {
  const { deps, findings } = stage;
  const definition = deps.catalog.get(id);
  if (definition === undefined) return undefined;
  const { id: _id, ...own } = stored;
  const plain = decryptFields(own, definition.metadataSecretFields ?? [], deps.keyring);
  const resolved = resolveReferences(plain, "", { environment: deps.environment, secrets: deps.secrets, findings });
  if (definition.metadataSchema === undefined) return build(id, resolved, stage);
  const checked = checkValue(definition.metadataSchema, resolved);
  if (checked.ok) return build(id, checked.value, stage);
  return findings.error("INVALID_OBJECT", "", `failed to check metadata of plugin ${id}: ${checked.message}`);
}

function build(id: string, value: unknown, stage: ObjectStage): CompiledMetadata | undefined {
  return buildObject({ id, plugins: undefined }, stage, (object) => ({ ...object, value }));
}
