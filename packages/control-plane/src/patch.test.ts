import { describe, expect, it } from "vitest";
import type { JsonObject } from "./json.ts";
import { mergePatch, replaceAttribute } from "./patch.ts";

describe("merging", () => {
  it.each<[string, { stored: JsonObject; patch: JsonObject }, JsonObject]>([
    ["null deletes", { stored: { a: 1, b: 2 }, patch: { a: null } }, { b: 2 }],
    ["a scalar replaces", { stored: { a: { b: 1 } }, patch: { a: 1 } }, { a: 1 }],
    [
      "an object is merged into an object",
      { stored: { a: { b: 1, c: 2 } }, patch: { a: { b: 3 } } },
      { a: { b: 3, c: 2 } },
    ],
    ["nested null deletes", { stored: { a: { b: 1, c: 2 } }, patch: { a: { b: null } } }, { a: { c: 2 } }],
    ["an empty object clears", { stored: { a: { b: 1 } }, patch: { a: {} } }, { a: {} }],
    ["an array replaces an object", { stored: { a: { b: 1 } }, patch: { a: [1] } }, { a: [1] }],
    ["an object replaces an array", { stored: { a: [1, 2] }, patch: { a: { b: 1 } } }, { a: { b: 1 } }],
    ["an array replaces an array", { stored: { a: [1, 2] }, patch: { a: [3] } }, { a: [3] }],
    ["nested nulls stay when nothing was stored", { stored: {}, patch: { a: { b: null } } }, { a: { b: null } }],
    [
      "nested nulls stay when the stored object is empty",
      { stored: { a: {} }, patch: { a: { b: null } } },
      { a: { b: null } },
    ],
    ["nested nulls stay when a scalar was stored", { stored: { a: 1 }, patch: { a: { b: null } } }, { a: { b: null } }],
  ])("%s", (_title, { stored, patch }, merged) => {
    const before = structuredClone(stored);
    expect(mergePatch(stored, patch)).toEqual(merged);
    expect(stored).toEqual(before);
  });

  it("a member called __proto__ is data", () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}'));
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
    expect(Object.keys(merged)).toEqual(["__proto__"]);
  });
});

describe("replacing an attribute", () => {
  it.each<[string, { stored: JsonObject; path: string[]; value: unknown }, JsonObject]>([
    ["a member is replaced", { stored: { a: { b: 1 } }, path: ["a", "b"], value: 2 }, { a: { b: 2 } }],
    ["missing objects are made", { stored: {}, path: ["a", "b", "c"], value: 2 }, { a: { b: { c: 2 } } }],
    ["null is a value", { stored: { a: 1 }, path: ["a"], value: null }, { a: null }],
    ["an array becomes a table", { stored: { a: ["x"] }, path: ["a", "0"], value: "y" }, { a: { "1": "x", "0": "y" } }],
    [
      "inherited names are not members",
      { stored: {}, path: ["constructor", "name"], value: 1 },
      { constructor: { name: 1 } },
    ],
  ])("%s", (_title, { stored, path, value }, result) => {
    expect(replaceAttribute(stored, path, value)).toEqual(result);
  });

  it.each([[{ a: 1 }], [{ a: null }], [{ a: "x" }]])("a scalar on the way of %j is refused", (stored) => {
    expect(replaceAttribute(stored, ["a", "b"], 1)).toBeUndefined();
  });

  it("__proto__ in the path changes no prototype", () => {
    const result = replaceAttribute({}, ["__proto__", "polluted"], true);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});
