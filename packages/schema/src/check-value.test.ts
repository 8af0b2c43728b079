import { describe, expect, it } from "vitest";
import { z } from "zod";
import { checkValue } from "./check-value.ts";

describe("checkValue", () => {
  const schema = z.object({
    name: z
      .string()
      .min(3)
      .max(5)
      .regex(/^[a-z]+$/)
      .optional(),
    mode: z.enum(["on", "off"]).optional(),
    any: z.union([z.string().max(3), z.int()]).optional(),
    size: z.int().max(10).optional(),
    big: z.int().optional(),
    list: z.array(z.string()).optional(),
    map: z.record(z.string(), z.int()).optional(),
    object: z.object({ on: z.boolean().default(true), list: z.array(z.int()).optional() }).optional(),
    items: z.array(z.object({ tags: z.array(z.string()) })).optional(),
  });

  it.each([["$secret://vault/1/key"], ["$env://NAME"], ["$ENV://NAME"], ["$Env://name"]])(
    "lets the reference %s pass wherever a string may stand",
    (reference) => {
      const value = { name: reference, mode: reference, any: reference };
      expect(checkValue(schema, value)).toEqual({ ok: true, value });
    },
  );

  it("still fills defaults beside a reference", () => {
    expect(checkValue(schema, { name: "$env://N", object: {} })).toEqual({
      ok: true,
      value: { name: "$env://N", object: { on: true } },
    });
  });

  it.each([
    [{ size: "$env://SIZE" }, 'property "size" validation failed: wrong type: expected integer, got string'],
    [{ list: "$env://LIST" }, 'property "list" validation failed: wrong type: expected array, got string'],
    [{ name: "$SECRET://x" }, 'property "name" validation failed: string too long, expected at most 5, got 11'],
    [{ name: "x $env://x" }, 'property "name" validation failed: string too long, expected at most 5, got 10'],
  ])("does not take a reference for another type, nor anything like one: %j", (value, message) => {
    expect(checkValue(schema, value)).toEqual({ ok: false, message });
  });

  it("reports another problem behind an excused one", () => {
    expect(checkValue(schema, { name: "$env://N", size: 11 })).toEqual({
      ok: false,
      message: 'property "size" validation failed: expected 11 to be at most 10',
    });
  });

  it("takes an empty object for an empty array and the other way round", () => {
    const value = { list: {}, map: [], object: [], items: [{ tags: {} }] };
    expect(checkValue(schema, value)).toEqual({
      ok: true,
      value: { list: [], map: {}, object: { on: true }, items: [{ tags: [] }] },
    });
    expect(value).toEqual({ list: {}, map: [], object: [], items: [{ tags: {} }] });
    expect(checkValue(schema, [])).toEqual({ ok: true, value: {} });
  });

  it("gives up on a value that holds more empty containers of the wrong form than any real one", () => {
    const tags = Array.from({ length: 101 }, () => ({ tags: {} }));
    expect(checkValue(schema, { items: tags })).toMatchObject({ ok: false });
    expect(checkValue(schema, { items: tags.slice(0, 100) })).toMatchObject({ ok: true });
  });

  it("counts code points, not units", () => {
    const text = z.string().max(2);
    expect(checkValue(text, "😀😀")).toEqual({ ok: true, value: "😀😀" });
    expect(checkValue(text, "😀😀😀")).toMatchObject({ ok: false });
  });

  it("takes integers beyond 2^53, but not beyond a bound", () => {
    expect(checkValue(schema, { big: 1e20 })).toEqual({ ok: true, value: { big: 1e20 } });
    expect(checkValue(schema, { size: 1e20 })).toEqual({
      ok: false,
      message: 'property "size" validation failed: expected 1e+20 to be at most 10',
    });
  });

  it.each([['{"__proto__":{"polluted":true}}'], ['{"object":{"__proto__":1}}'], ['{"items":[{"__proto__":{}}]}']])(
    "refuses a __proto__ key wherever it is: %s",
    (json) => {
      expect(checkValue(z.looseObject({}), JSON.parse(json))).toEqual({
        ok: false,
        message: "additional properties forbidden, found __proto__",
      });
      expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
    },
  );

  it("takes names of Object.prototype's members as data", () => {
    const json = '{"constructor":{"prototype":{"polluted":true}},"toString":1,"hasOwnProperty":2}';
    expect(checkValue(z.looseObject({}), JSON.parse(json))).toEqual({ ok: true, value: JSON.parse(json) });
    expect(checkValue(z.strictObject({}), JSON.parse('{"constructor":1}'))).toEqual({
      ok: false,
      message: "additional properties forbidden, found constructor",
    });
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  it("does not take an inherited member for a property", () => {
    const named = z.object({ constructor: z.string(), toString: z.string() });
    expect(checkValue(named, {})).toEqual({ ok: false, message: 'property "constructor" is required' });
  });

  it("refuses nesting no JSON decoder of APISIX's would return", () => {
    const nest = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));
    expect(checkValue(z.unknown(), nest(1000))).toMatchObject({ ok: true });
    expect(checkValue(z.unknown(), nest(1001))).toEqual({
      ok: false,
      message: "found too many nested data structures (1001)",
    });
    expect(checkValue(z.unknown(), nest(100_000))).toMatchObject({ ok: false });
  });

  it("refuses to work with a schema that waits", () => {
    const waiting = z.string().refine(async () => true);
    expect(() => checkValue(waiting, "x")).toThrow(/Promise/);
  });

  it("does not change its input", () => {
    const input = Object.freeze({ object: Object.freeze({}), map: Object.freeze({ a: 1 }) });
    expect(checkValue(schema, input)).toEqual({ ok: true, value: { object: { on: true }, map: { a: 1 } } });
  });
});
