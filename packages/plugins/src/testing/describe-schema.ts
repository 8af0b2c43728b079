import { describe, expect, it } from "vitest";
import type { z } from "zod";

/** What a schema does with configurations. */
export interface SchemaTable {
  /** A configuration with nothing but what is required, and what it becomes. */
  readonly defaults: readonly [config: unknown, filled: unknown];
  readonly accepts: readonly unknown[];
  /** Each with the place of the first finding, a dotted path, or with its whole text where the place is empty. */
  readonly refuses: readonly (readonly [config: unknown, finding: string])[];
}

/** Declares the schema tests of a plugin. */
export function describeSchema(schema: z.ZodType, table: SchemaTable): void {
  describe("schema", () => {
    it("fills the defaults in", () => {
      const [config, filled] = table.defaults;
      expect(schema.parse(config)).toEqual(filled);
    });

    it.each(table.accepts.map((config) => [config]))("takes %j and keeps what it does not know", (config) => {
      expect(schema.parse(config)).toMatchObject(config as object);
    });

    it.each(table.refuses)("refuses %j: %s", (config, finding) => {
      const issue = schema.safeParse(config).error?.issues[0];
      expect(issue?.path.join(".") || issue?.message).toBe(finding);
    });
  });
}
