import { describe, expect, it } from "vitest";
import { z } from "zod";
import { checkValue } from "../check-value.ts";
import { closedObject, listOf, mapOf, openObject } from "./container.ts";

/** A number below 10 that counts how often it was looked at. */
function counted() {
  const seen: unknown[] = [];
  const schema = z.number().refine((value) => {
    seen.push(value);
    return value < 10;
  });
  return { seen, schema };
}

describe("containers", () => {
  it.each([
    ["closedObject", closedObject({ a: z.int().optional() }), {}],
    ["openObject", openObject({ a: z.int().optional() }), {}],
    ["mapOf", mapOf(z.int()), {}],
    ["listOf", listOf(z.int()), []],
  ] as const)("%s takes both empty containers, wrapped or not, by parse alone", (_name, schema, empty) => {
    for (const input of [{}, []]) {
      expect(schema.parse(input)).toEqual(empty);
      expect(z.object({ field: schema.optional() }).parse({ field: input })).toEqual({ field: empty });
    }
    expect(schema.safeParse(null).success).toBe(false);
    expect(schema.safeParse("").success).toBe(false);
  });

  it("look no further than the first bad value, as a hostile body may hold a hundred thousand", () => {
    const map = counted();
    const bad = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`k${index}`, 10 + index]));
    expect(checkValue(mapOf(map.schema), bad)).toMatchObject({ ok: false });
    expect(map.seen).toEqual([10]);
    const list = counted();
    expect(checkValue(listOf(list.schema), Object.values(bad))).toMatchObject({ ok: false });
    expect(list.seen).toEqual([10]);
  });

  it("refuse a filled container of the other form as a whole", () => {
    expect(checkValue(listOf(z.int()), { a: "x" })).toEqual({
      ok: false,
      message: "wrong type: expected array, got table",
    });
    expect(checkValue(mapOf(z.int()), ["x"])).toEqual({ ok: false, message: "wrong type: expected object, got table" });
  });

  it("compare items of lists by value", () => {
    const unique = listOf(z.unknown(), { isUnique: true });
    expect(checkValue(unique, [1, "1", { a: 1 }, [1], { a: 2 }])).toMatchObject({ ok: true });
    expect(checkValue(unique, [1, { a: 1 }, 2, { a: 1 }])).toEqual({
      ok: false,
      message: "expected unique items but items 2 and 4 are equal",
    });
  });
});
