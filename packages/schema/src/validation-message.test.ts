import { describe, expect, it } from "vitest";
import { z } from "zod";
import { checkValue } from "./check-value.ts";
import { renderValidationError } from "./validation-message.ts";

/** A plugin's schema as an author writes it: zod and nothing else. */
const plugin = z.looseObject({
  function_uri: z.string(),
  ssl_verify: z.boolean().default(true),
  timeout: z.int().min(100).default(3000),
  ratio: z.number().gt(0).lt(1).optional(),
  step: z.number().multipleOf(5).optional(),
  count: z.number().int().max(10).optional(),
  code: z.literal([403, 404]).optional(),
  policy: z.enum(["local", "redis"]).optional(),
  mixed: z.literal(["a", 1]).optional(),
  label: z.string().min(2).max(3).optional(),
  path: z
    .string()
    .regex(/^\/[a-z]+$/)
    .optional(),
  mail: z.email().optional(),
  link: z.url().optional(),
  list: z.array(z.string().min(1)).min(1).max(2).optional(),
  pair: z.tuple([z.string(), z.int()], z.boolean()).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  codes: z.record(z.string().regex(/^[0-9]+$/), z.string()).optional(),
  nested: z.strictObject({ deep: z.object({ size: z.int().positive() }).optional() }).optional(),
  nullable: z.string().nullable().optional(),
  either: z.union([z.string(), z.int().min(5)]).optional(),
  credentials: z.union([z.object({ user: z.string(), pass: z.string() }), z.object({ token: z.string() })]).optional(),
  one: z.xor([z.object({ a: z.int() }), z.object({ b: z.int() }), z.object({ c: z.int() })]).optional(),
  kind: z
    .discriminatedUnion("type", [
      z.object({ type: z.literal("a"), size: z.int() }),
      z.object({ type: z.literal("b"), name: z.string() }),
    ])
    .optional(),
  both: z.intersection(z.object({ left: z.int().optional() }), z.object({ right: z.int().optional() })).optional(),
  later: z.lazy(() => z.int()).optional(),
  piped: z.preprocess((value) => value, z.int()).optional(),
  ruled: z
    .string()
    .refine((value) => value !== "bad", { error: "spoken by the author" })
    .optional(),
});

const ROWS: readonly (readonly [conf: Record<string, unknown>, message: string])[] = [
  [{ function_uri: undefined }, 'property "function_uri" is required'],
  [{ function_uri: 30_858 }, 'property "function_uri" validation failed: wrong type: expected string, got number'],
  [{ function_uri: null }, 'property "function_uri" validation failed: wrong type: expected string, got userdata'],
  [{ ssl_verify: "yes" }, 'property "ssl_verify" validation failed: wrong type: expected boolean, got string'],
  [{ timeout: 99 }, 'property "timeout" validation failed: expected 99 to be at least 100'],
  [{ timeout: "3000" }, 'property "timeout" validation failed: wrong type: expected integer, got string'],
  [{ timeout: 100.5 }, 'property "timeout" validation failed: wrong type: expected integer, got number'],
  [{ timeout: {} }, 'property "timeout" validation failed: wrong type: expected integer, got table'],
  [{ count: 11 }, 'property "count" validation failed: expected 11 to be at most 10'],
  [{ count: "1" }, 'property "count" validation failed: wrong type: expected integer, got string'],
  [{ ratio: 0 }, 'property "ratio" validation failed: expected 0 to be greater than 0'],
  [{ ratio: 1 }, 'property "ratio" validation failed: expected 1 to be smaller than 1'],
  [{ ratio: "1" }, 'property "ratio" validation failed: wrong type: expected number, got string'],
  [{ step: 7 }, 'property "step" validation failed: expected 7 to be a multiple of 5'],
  [{ code: 500 }, 'property "code" validation failed: matches none of the enum values'],
  [{ code: "403" }, 'property "code" validation failed: wrong type: expected integer, got string'],
  [{ policy: "disk" }, 'property "policy" validation failed: matches none of the enum values'],
  [{ policy: 1 }, 'property "policy" validation failed: wrong type: expected string, got number'],
  [{ mixed: true }, 'property "mixed" validation failed: matches none of the enum values'],
  [{ label: "a" }, 'property "label" validation failed: string too short, expected at least 2, got 1'],
  [{ label: "abcd" }, 'property "label" validation failed: string too long, expected at most 3, got 4'],
  [{ label: "😀😀😀😀" }, 'property "label" validation failed: string too long, expected at most 3, got 4'],
  [{ path: 'x"\\' }, 'property "path" validation failed: failed to match pattern "^/[a-z]+$" with "x\\"\\\\"'],
  [{ mail: "x" }, 'property "mail" validation failed: expect valid email format but got: x'],
  [{ link: "x" }, 'property "link" validation failed: expect valid uri format but got: x'],
  [{ list: [] }, 'property "list" validation failed: expect array to have at least 1 items'],
  [{ list: {} }, 'property "list" validation failed: expect array to have at least 1 items'],
  [{ list: ["a", "b", "c"] }, 'property "list" validation failed: expect array to have at most 2 items'],
  [
    { list: ["a", ""] },
    'property "list" validation failed: failed to validate item 2: string too short, expected at least 1, got 0',
  ],
  [{ list: { a: 1 } }, 'property "list" validation failed: wrong type: expected array, got table'],
  [
    { pair: ["a", "b"] },
    'property "pair" validation failed: failed to validate item 2: wrong type: expected integer, got string',
  ],
  [
    { pair: ["a", 1, "c"] },
    'property "pair" validation failed: failed to validate item 3: wrong type: expected boolean, got string',
  ],
  [{ pair: "a" }, 'property "pair" validation failed: wrong type: expected array, got string'],
  [
    { headers: { "X-A": 1 } },
    'property "headers" validation failed: failed to validate additional property X-A: wrong type: expected string, got number',
  ],
  [{ headers: "a" }, 'property "headers" validation failed: wrong type: expected object, got string'],
  [{ codes: { x: "a" } }, 'property "codes" validation failed: additional properties forbidden, found x'],
  [{ nested: { other: 1 } }, 'property "nested" validation failed: additional properties forbidden, found other'],
  [
    { nested: { deep: { size: 0 } } },
    'property "nested" validation failed: property "deep" validation failed: property "size" validation failed: expected 0 to be greater than 0',
  ],
  [
    { nested: { deep: {} } },
    'property "nested" validation failed: property "deep" validation failed: property "size" is required',
  ],
  [{ nullable: 1 }, 'property "nullable" validation failed: wrong type: expected string, got number'],
  [{ either: true }, 'property "either" validation failed: object matches none of the required'],
  [{ either: 4 }, 'property "either" validation failed: object matches none of the required'],
  [
    { credentials: {} },
    'property "credentials" validation failed: object matches none of the required: ["user","pass"] or ["token"]',
  ],
  [{ one: {} }, 'property "one" validation failed: value should match only one schema, but matches none'],
  [
    { one: { a: 1, c: 1 } },
    'property "one" validation failed: value should match only one schema, but matches both schemas 1 and 3',
  ],
  [
    { both: { right: "1" } },
    'property "both" validation failed: property "right" validation failed: wrong type: expected integer, got string',
  ],
  [{ later: "1" }, 'property "later" validation failed: wrong type: expected integer, got string'],
  [{ piped: "1" }, 'property "piped" validation failed: wrong type: expected integer, got string'],
  [{ ruled: "bad" }, 'property "ruled" validation failed: spoken by the author'],
];

function checkPlugin(conf: Record<string, unknown>) {
  const merged = Object.entries({ function_uri: "http://a", ...conf });
  return checkValue(plugin, Object.fromEntries(merged.filter(([, value]) => value !== undefined)));
}

describe("messages for plain zod schemas", () => {
  it.each(ROWS)("words %j as APISIX's validator", (conf, message) => {
    expect(checkPlugin(conf)).toEqual({ ok: false, message });
  });

  it.each([
    [["a"], "wrong type: expected object, got table"],
    [null, "wrong type: expected object, got userdata"],
    [undefined, "wrong type: expected object, got nil"],
    ["x", "wrong type: expected object, got string"],
  ])("names the type of a root that is no object: %j", (value, message) => {
    expect(checkValue(plugin, value)).toEqual({ ok: false, message });
  });

  it("reports the first problem in the order of declaration", () => {
    expect(checkPlugin({ timeout: 1, ssl_verify: 1 })).toMatchObject({
      message: 'property "ssl_verify" validation failed: wrong type: expected boolean, got number',
    });
  });

  it.each([
    [{ type: "c" }, 'property "type" validation failed: object matches none of the required'],
    [{ type: "a", size: "1" }, 'property "size" validation failed: wrong type: expected integer, got string'],
    [{ type: "b" }, 'property "name" is required'],
  ])("reports from inside the chosen member of a discriminated union: %j", (kind, message) => {
    expect(checkPlugin({ kind })).toEqual({ ok: false, message: `property "kind" validation failed: ${message}` });
  });

  it("gets by without the schema, in coarser words", () => {
    const value = { function_uri: "x", timeout: "3000" };
    const { error } = plugin.safeParse(value);
    expect(error && renderValidationError(error, value)).toBe(
      'property "timeout" validation failed: wrong type: expected number, got string',
    );
    expect(error && renderValidationError(error, value, plugin)).toBe(
      'property "timeout" validation failed: wrong type: expected integer, got string',
    );
  });

  it("has something to say about an error without issues", () => {
    expect(renderValidationError(new z.ZodError([]), {})).toBe("invalid value");
  });
});
