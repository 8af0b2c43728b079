import type { z } from "zod";

/**
 * A configuration of which exactly one of `fields` has to be there (APISIX: `oneOf` of `required`). Clients see the
 * rule in the JSON Schema; the texts are APISIX's.
 */
export function requireExactlyOne<TSchema extends z.ZodType<object>>(
  schema: TSchema,
  fields: readonly string[],
): TSchema {
  return schema
    .superRefine((config, context) => {
      const present = fields.flatMap((field, index) => (isSet(config, field) ? [index + 1] : []));
      if (present.length === 1) return;
      const found = present.length === 0 ? "none" : `both schemas ${present[0]} and ${present[1]}`;
      context.addIssue({ code: "custom", message: `value should match only one schema, but matches ${found}` });
    })
    .meta({ oneOf: fields.map((field) => ({ required: [field] })) });
}

/** A configuration of which at least one of `fields` has to be there (APISIX: `anyOf` of `required`). */
export function requireAnyOf<TSchema extends z.ZodType<object>>(schema: TSchema, fields: readonly string[]): TSchema {
  return schema
    .superRefine((config, context) => {
      if (fields.some((field) => isSet(config, field))) return;
      context.addIssue({ code: "custom", message: "object matches none of the required" });
    })
    .meta({ anyOf: fields.map((field) => ({ required: [field] })) });
}

/** An object that may not be empty (APISIX: `minProperties` of 1). */
export function requireProperties<TSchema extends z.ZodType<object>>(schema: TSchema): TSchema {
  return schema.refine((value) => Object.keys(value).length > 0, "expect object to have at least 1 properties");
}

function isSet(config: object, field: string): boolean {
  return Object.hasOwn(config, field) && Reflect.get(config, field) !== undefined;
}
