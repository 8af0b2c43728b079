import { z } from "zod";
import type { ResourceDefinition } from "./definition.ts";
import { isPatternMap } from "./fields/container.ts";

/** JSON Schema (draft 7) of what clients may send for a kind, from the same source that validates it. */
export function toJsonSchema(definition: ResourceDefinition): z.core.JSONSchema.BaseSchema {
  return schemaToJson(definition.schema);
}

/** Versions of JSON Schema that we write: APISIX shows draft 7, OpenAPI 3.1 is made of 2020-12. */
export type JsonDialect = "draft-7" | "draft-2020-12";

/** JSON Schema of any zod schema, plugins' included; defaults are shown, not demanded. */
export function schemaToJson(schema: z.ZodType, dialect: JsonDialect = "draft-7"): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(schema, {
    target: dialect,
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      if (dialect === "draft-2020-12") splitDependencies(jsonSchema);
      const { additionalProperties = {} } = jsonSchema;
      const isOpen = typeof additionalProperties === "object" && Object.keys(additionalProperties).length === 0;
      if (isOpen) delete jsonSchema.additionalProperties;
      if (!isPatternMap(zodSchema)) return;
      delete jsonSchema.additionalProperties;
      delete jsonSchema.propertyNames;
      if (!isOpen) Object.assign(jsonSchema, { patternProperties: { ".*": additionalProperties } });
    },
  });
}

/** Draft 2019-09 put schemas and lists of names, which `dependencies` mixed, under words of their own. */
function splitDependencies(jsonSchema: z.core.JSONSchema.BaseSchema): void {
  const { dependencies } = jsonSchema;
  if (typeof dependencies !== "object" || dependencies === null) return;
  delete jsonSchema["dependencies"];
  const entries = Object.entries(dependencies);
  const lists = entries.filter(([, needed]) => Array.isArray(needed));
  const schemas = entries.filter(([, needed]) => !Array.isArray(needed));
  if (lists.length > 0) jsonSchema["dependentRequired"] = Object.fromEntries(lists);
  if (schemas.length > 0) jsonSchema["dependentSchemas"] = Object.fromEntries(schemas);
}
