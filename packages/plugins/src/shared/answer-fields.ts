import { compileTemplate, type Template, type Variables } from "@fngate/plugin-kit";
import { z } from "zod";

/** A map of header names to texts or numbers (APISIX: fault-injection, mocking); `$variables` in texts are filled in. */
export function headerMapField() {
  return z
    .record(z.string().regex(/^[^:]+$/), z.union([z.string(), z.number()]))
    .refine((headers) => Object.keys(headers).length > 0, "object needs at least 1 properties");
}

/** Makes the fields of an answer, flat `[name, value, ...]`. */
export type FieldsOf = (variables: Pick<Variables, "get">) => string[];

/** Compiles a {@link headerMapField}. */
export function compileFields(headers: Readonly<Record<string, string | number>> | undefined): FieldsOf {
  const fields: (readonly [string, Template])[] = Object.entries(headers ?? {}).map(([name, value]) => [
    name,
    compileTemplate(String(value)),
  ]);
  return (variables) => fields.flatMap(([name, template]) => [name, template.render(variables)]);
}
