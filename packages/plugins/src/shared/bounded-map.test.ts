import { describe, expect, it } from "vitest";
import { BoundedMap } from "./bounded-map.ts";

describe("BoundedMap", () => {
  /** A full map of three entries, after some have been touched. */
  function touched(...keys: readonly string[]): BoundedMap<string, number> {
    const map = new BoundedMap<string, number>(3);
    for (const key of ["a", "b", "c"]) map.set(key, 1);
    for (const key of keys) map.get(key);
    return map;
  }

  it.each([
    [[], "a"],
    [["a"], "b"],
    [["a", "a", "b"], "c"],
    [["c", "c"], "a"],
    [["a", "b", "a"], "c"],
  ])("after touching %j forgets %s for a further entry", (keys, forgotten) => {
    const map = touched(...keys);
    map.set("d", 1);
    expect(["a", "b", "c", "d"].filter((key) => map.get(key) === undefined)).toEqual([forgotten]);
    expect(map.size).toBe(3);
  });

  it("counts an entry that was deleted and came back as new", () => {
    const map = touched("c");
    map.delete("c");
    map.set("c", 2);
    map.set("d", 1);
    expect([map.get("a"), map.get("c")]).toEqual([undefined, 2]);
  });

  it("forgets as many entries as a heavy one needs, and does not keep one that is too heavy", () => {
    const map = new BoundedMap<string, number>(6, (key) => key.length);
    for (const key of ["a", "bb", "ccc"]) map.set(key, 1);
    expect(map.weight).toBe(6);
    map.set("dd", 1);
    expect(["a", "bb", "ccc", "dd"].filter((key) => map.get(key) !== undefined)).toEqual(["ccc", "dd"]);
    map.set("ccc", 2);
    map.delete("dd");
    expect(map.weight).toBe(3);
    map.set("eeeeeee", 1);
    expect([map.size, map.weight, map.get("eeeeeee")]).toEqual([0, 0, undefined]);
  });
});
