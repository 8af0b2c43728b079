import { z } from "zod";
import type { ResourceDefinition } from "./definition.ts";
import { isPatternMap } from "./fields/container.ts";

/** JSON Schema (draft 7) of what clients may send for a kind, from the same source that validates it. */
export function toJsonSchema(definition: ResourceDefinition): z.core.JSONSchema.BaseSchema {
  return schemaToJson(definition.schema);
}

/** JSON Schema (draft 7) of any zod schema, plugins' included; defaults are shown, not demanded. */
export function schemaToJson(schema: z.ZodType): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(schema, {
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
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
