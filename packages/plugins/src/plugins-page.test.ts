import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { renderConfigTable } from "../scripts/config-table.ts";
import { phasesOf } from "../scripts/plugin-phases.ts";

describe("phasesOf", () => {
  it.each([
    ["openfunction", ["access"]],
    ["response-rewrite", ["headerFilter", "bodyFilter"]],
    ["gzip", ["encodeBody"]],
    ["limit-conn", ["access", "log"]],
    ["zipkin", ["rewrite", "access", "headerFilter", "log"]],
    ["serverless-pre-function", []],
  ])("of %s are %j, whatever its configuration", (name, phases) => {
    expect(phasesOf(join(import.meta.dirname, name))).toEqual(phases);
  });
});

describe("renderConfigTable", () => {
  it("tells name, type, bounds, default and description of every member, of nested ones and of lists' items too", () => {
    const schema = z.object({
      rate: z.number().gt(0).max(5).default(1).describe("How | many."),
      modes: z
        .array(z.enum(["a", "b"]))
        .min(1)
        .optional(),
      either: z.union([z.string(), z.int()]),
      rules: z
        .array(z.object({ key: z.string().min(2).max(3) }))
        .min(1)
        .max(2)
        .optional(),
    });
    expect(renderConfigTable(schema).split("\n").slice(2)).toEqual([
      "| `rate` | number | > 0, <= 5 | `1` | How \\| many. |",
      "| `modes` | array of string | `a`, `b`, not empty |  |  |",
      "| `either` (required) | string or integer |  |  |  |",
      "| `rules` | array of object | 1 to 2 items |  |  |",
      "| `rules[].key` (required) | string | 2 to 3 characters |  |  |",
    ]);
  });
});
