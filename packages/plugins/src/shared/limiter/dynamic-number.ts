import { compileTemplate, type Variables } from "@fngate/plugin-kit";
import { z } from "zod";

/** A number of a request; nothing when its text is no number within the bounds. */
export type NumberOf = (variables: Pick<Variables, "get">) => number | undefined;

/** A field that is a whole number of at least `min`, or a text with `$variables` that makes one. */
export function dynamicNumberField(min: 0 | 1) {
  return z.xor([z.int().min(min), z.string()]);
}

/** Compiles a {@link dynamicNumberField}. */
export function compileNumber(value: number | string, min: 0 | 1): NumberOf {
  if (typeof value === "number") return () => value;
  const template = compileTemplate(value);
  return (variables) => {
    const text = template.render(variables);
    const number = text.trim() === "" ? Number.NaN : Number(text);
    return Number.isSafeInteger(number) && number >= min ? number : undefined;
  };
}
