import { z } from "zod";

/** Bounds of an integer, both inclusive. */
export interface IntegerRules {
  readonly min?: number;
  readonly max?: number;
  /** The only values allowed. */
  readonly values?: readonly number[];
}

/** A JSON number without fraction: `1.0` and `1e20` qualify, unlike with zod's own `int()`, which stops at 2^53. */
export function integer({ min, max, values }: IntegerRules = {}): z.ZodNumber {
  let schema = z.number().check((context) => {
    if (Number.isInteger(context.value)) return;
    context.issues.push({
      code: "custom",
      message: "wrong type: expected integer, got number",
      input: context.value,
    });
  });
  if (min !== undefined) schema = schema.min(min);
  if (max !== undefined) schema = schema.max(max);
  if (values === undefined) return schema.meta({ type: "integer" });
  return schema
    .check((context) => {
      if (values.includes(context.value)) return;
      context.issues.push({ code: "custom", message: "matches none of the enum values", input: context.value });
    })
    .meta({ type: "integer", enum: [...values] });
}
