import { expect, test } from "vitest";
import { postArgumentProblem } from "./post-arg-check.ts";

test.each([
  "model",
  "model.name",
  "some-key.other_key",
  "messages[0]",
  "messages[-1,2].role",
  "messages[1:3]",
  "messages[*].content[*].type",
  "messages.*",
  "messages..type",
  "a['b c'].d",
  "messages[?(@.role=='user')].content",
  "messages[(@.length-1)]",
])("the path %s is taken", (path) => {
  expect(postArgumentProblem([[`post_arg.${path}`, "has", "x"]])).toBeUndefined();
});

test.each([
  ["messages[.content[*].type", "[.content[*].type"],
  ["messages[0", "[0"],
  ["messages]", "]"],
  ["a.", "."],
  ["a...b", "...b"],
  ["a[?(@.b", "[?(@.b"],
  ["", ""],
])("the path %j is refused near %j", (path, near) => {
  expect(postArgumentProblem([[`post_arg.${path}`, "has", "x"]])).toBe(
    `failed to validate the 'vars' expression: invalid expression near "${near}"`,
  );
});

test("conditions are found in groups of groups, and other variables are left alone", () => {
  const bad = ["post_arg.a[", "==", "x"];
  expect(postArgumentProblem(["OR", ["arg_a", "==", "post_arg.a["], ["AND", ["arg_b", 1], [bad]]])).toContain("near");
  expect(postArgumentProblem([["post_arg_a[", "==", "x"]])).toBeUndefined();
});
