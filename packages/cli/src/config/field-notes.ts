import { z } from "zod";

/** What the documentation and `config print` know about a key beside its type. */
export interface FieldNote {
  /** What the key does; a fragment for a table cell. */
  readonly description: string;
  /** Type in words, where the schema's own would not say it. */
  readonly type?: string;
  /** What APISIX does otherwise. */
  readonly difference?: string;
  /** Never shown, in print or log. */
  readonly isSecret?: true;
}

/** Notes by schema; the documentation table and the redaction are made from them. */
export const fieldNotes = z.registry<FieldNote>();

/** An optional key with its note. */
export function field<TSchema extends z.ZodType>(schema: TSchema, note: FieldNote): z.ZodOptional<TSchema> {
  fieldNotes.add(schema, note);
  return z.optional(schema);
}
