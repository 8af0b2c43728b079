import { describe, expect, it } from "vitest";
import { mergePatch, replaceAttribute } from "./patch.ts";

describe("merging", () => {
  it.each([
    ["null deletes", { a: 1, b: 2 }, { a: null }, { b: 2 }],
    ["a scalar replaces", { a: { b: 1 } }, { a: 1 }, { a: 1 }],
    ["an object is merged into an object", { a: { b: 1, c: 2 } }, { a: { b: 3 } }, { a: { b: 3, c: 2 } }],
    ["nested null deletes", { a: { b: 1, c: 2 } }, { a: { b: null } }, { a: { c: 2 } }],
    ["an empty object clears", { a: { b: 1 } }, { a: {} }, { a: {} }],
    ["an array replaces an object", { a: { b: 1 } }, { a: [1] }, { a: [1] }],
    ["an object replaces an array", { a: [1, 2] }, { a: { b: 1 } }, { a: { b: 1 } }],
    ["an array replaces an array", { a: [1, 2] }, { a: [3] }, { a: [3] }],
    ["nested nulls stay when nothing was stored", {}, { a: { b: null } }, { a: { b: null } }],
    ["nested nulls stay when the stored object is empty", { a: {} }, { a: { b: null } }, { a: { b: null } }],
    ["nested nulls stay when a scalar was stored", { a: 1 }, { a: { b: null } }, { a: { b: null } }],
  ])("%s", (_title, stored, patch, merged) => {
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
  it.each([
    ["a member is replaced", { a: { b: 1 } }, ["a", "b"], 2, { a: { b: 2 } }],
    ["missing objects are made", {}, ["a", "b", "c"], 2, { a: { b: { c: 2 } } }],
    ["null is a value", { a: 1 }, ["a"], null, { a: null }],
    ["an array becomes a table", { a: ["x"] }, ["a", "0"], "y", { a: { "1": "x", "0": "y" } }],
    ["inherited names are not members", {}, ["constructor", "name"], 1, { constructor: { name: 1 } }],
  ])("%s", (_title, stored, path, value, result) => {
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
