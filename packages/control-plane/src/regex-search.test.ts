import { expect, it } from "vitest";
import { searchTexts } from "./regex-search.ts";

it.each([
  ["hel", [["hello"], ["other"]], [true, false]],
  ["", [["hello"], []], [true, false]],
  ["^h.l+o$", [["hello"], ["say hello"]], [true, false]],
  ["HEL", [["hello"]], [false]],
  ["^/b", [["/a", "/b"], ["/c"]], [true, false]],
  ["[", [["["]], [false]],
  ["v1\\-b", [["v1-b"], ["v1b"]], [true, false]],
  ["^.$", [["😀"]], [true]],
  ["'); throw new Error('", [["x"]], [false]],
])("%j in %j finds %j", (pattern, rows, hits) => {
  expect(searchTexts(pattern, rows)).toEqual(hits);
});

it("a pattern that backtracks without end is given up and matches nothing", () => {
  expect(searchTexts("^(a+)+$", [[`${"a".repeat(40)}!`]])).toEqual([false]);
});
