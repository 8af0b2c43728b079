import { expect, it } from "vitest";
import { addValue } from "./repeated-values.ts";

it("keeps a single value as it is, and makes one list of all that share a name", () => {
  const values = new Map<string, string | string[]>();
  addValue(values, "a", "1");
  expect(values.get("a")).toBe("1");
  addValue(values, "a", "2");
  const list = values.get("a");
  addValue(values, "a", "3");
  expect(list).toEqual(["1", "2", "3"]);
  expect(values.get("a")).toBe(list);
});
