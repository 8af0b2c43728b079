import { z } from "zod";
import { codePointLength, luaTypeOf, quote } from "../lua-format.ts";
import { isSecretReference } from "../secret-reference.ts";

/** Bounds of a string; lengths are code points, the pattern is unanchored unless it says otherwise. */
export interface TextRules {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
}

/** A string with APISIX's bounds, which a secret reference passes. */
export function text(rules: TextRules = {}): z.ZodString {
  const problem = textProblem(rules);
  return z
    .string()
    .check((context) => {
      const message = problem(context.value);
      if (message !== undefined) context.issues.push({ code: "custom", message, input: context.value });
    })
    .meta({
      ...(rules.min === undefined ? {} : { minLength: rules.min }),
      ...(rules.max === undefined ? {} : { maxLength: rules.max }),
      ...(rules.pattern === undefined ? {} : { pattern: rules.pattern }),
    });
}

/** The rules of {@link text} as a function from a string to what is wrong with it. */
export function textProblem({ min, max, pattern }: TextRules): (value: string) => string | undefined {
  const expression = pattern === undefined ? undefined : new RegExp(pattern);
  return (value) => {
    if (isSecretReference(value)) return undefined;
    const length = codePointLength(value);
    if (min !== undefined && length < min) return `string too short, expected at least ${min}, got ${length}`;
    if (max !== undefined && length > max) return `string too long, expected at most ${max}, got ${length}`;
    if (pattern === undefined || expression === undefined || expression.test(value)) return undefined;
    return `failed to match pattern ${quote(pattern)} with ${quote(value)}`;
  };
}

/** One of a few strings; anything that is not a string has the wrong type. */
export function choice<const TValue extends string>(values: readonly TValue[]) {
  return z
    .custom<TValue>((value) => isSecretReference(value) || values.some((known) => known === value), {
      error: ({ input }) =>
        typeof input === "string"
          ? "matches none of the enum values"
          : `wrong type: expected string, got ${luaTypeOf(input)}`,
    })
    .meta({ type: "string", enum: [...values] });
}

/** One of a few strings, for fields whose type APISIX leaves open: a number is merely no member. */
export function untypedChoice<const TValue extends string>(values: readonly TValue[]) {
  return z
    .custom<TValue>((value) => isSecretReference(value) || values.some((known) => known === value), {
      error: "matches none of the enum values",
    })
    .meta({ enum: [...values] });
}
