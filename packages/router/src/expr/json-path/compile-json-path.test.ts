import { expect, test } from "vitest";
import { compileJsonPath } from "./compile-json-path.ts";

const CHAT = {
  model: "gpt",
  "some-key": { "b c": 1 },
  messages: [
    { role: "user", n: 1, content: [{ type: "text" }, { type: "image" }] },
    { role: "bot", n: 2, content: [{ type: "audio" }] },
    { role: "user", n: 3, content: "plain" },
  ],
};

test.each([
  ["model", ["gpt"]],
  ["some-key['b c']", [1]],
  ["messages[0].role", ["user"]],
  ["messages[-1].content", ["plain"]],
  ["messages[9]", []],
  ["messages[0,1].n", [1, 2]],
  ["messages[1:].n", [2, 3]],
  ["messages[:-1].n", [1, 2]],
  ["messages[0:3:2].n", [1, 3]],
  ["messages[*].content[*].type", ["text", "image", "audio"]],
  ["messages.*.n", [1, 2, 3]],
  ["messages..type", ["text", "image", "audio"]],
  ["..n", undefined],
  ["messages[?(@.role=='user')].n", [1, 3]],
  ['messages[?(@.role == "user" && @.n > 1)].n', [3]],
  ["messages[?(@.n<2 || @.n>=3)].n", [1, 3]],
  ["messages[?(!@.n)].n", []],
  ["messages[?(@.content != 'plain')].n", [1, 2]],
  ["messages[(@.length-1)].n", [3]],
  ["constructor", []],
  ["messages[*].__proto__", []],
])("%s selects %j", (path, expected) => {
  if (expected === undefined) expect(() => compileJsonPath(path)).toThrow("invalid expression near");
  else expect(compileJsonPath(path)(CHAT)).toEqual(expected);
});

test.each(["a[", "a[0", "a]", "a.", "", "a[?(@.b ~ 1)]", "a[(1+1)]", "a[,]"])("%j cannot be read", (path) => {
  expect(() => compileJsonPath(path)).toThrow(expect.objectContaining({ code: "EXPRESSION_INVALID" }));
});

test("a document made to multiply work finds nothing instead of keeping everybody waiting", () => {
  let deep: unknown = { a: 1 };
  for (let level = 0; level < 1_000; level += 1) deep = { a: deep };
  expect(compileJsonPath("a..a..a..a")(deep)).toEqual([]);
});

test("a document that nests without end does not exhaust the stack", () => {
  const text = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  expect(compileJsonPath("a..b")({ a: JSON.parse(text) })).toEqual([]);
});
