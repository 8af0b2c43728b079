import { describe, expect, it } from "vitest";
import { compileExpression } from "./compile-expression.ts";
import { unreadablePaths, unsupportedPatterns, variableNames } from "./unsupported-patterns.ts";

describe("unsupportedPatterns", () => {
  it.each<[unknown, readonly string[]]>([
    [[], []],
    [{}, []],
    [
      [
        ["uri", "~~", "^/a"],
        ["x", "in", ["(?=a)"]],
      ],
      [],
    ],
    [[["uri", "~~", "(?=a)"]], ["(?=a)"]],
    [[["uri", "!", "~*", "(a)\\1"]], ["(a)\\1"]],
    [
      ["OR", ["a", "==", "b"], ["AND", ["uri", "~~", "("], ["uri", "~*", "["]]],
      ["(", "["],
    ],
  ])("of %j are %j", (vars, expected) => {
    expect(unsupportedPatterns(vars)).toEqual(expected);
  });

  it("are accepted, never match, and always hold when negated", () => {
    const variables = { get: () => "/a" };
    expect(compileExpression([["uri", "~~", "(?=/a)"]]).evaluate(variables)).toBe(false);
    expect(compileExpression([["uri", "!", "~~", "(?=/a)"]]).evaluate(variables)).toBe(true);
  });
});

describe("unreadablePaths", () => {
  it.each<[unknown, readonly string[]]>([
    [[], []],
    ["x", []],
    [[["post_arg.a.b", "==", 1]], []],
    [[["post_arg.a[*].b", "!", "has", 1]], []],
    [[["post_arg_a[", "==", 1]], []],
    [["OR", ["arg_x", "==", "post_arg.a["], [["post_arg.a[?(f(@))]", "has", 1]]], ["a[?(f(@))]"]],
  ])("%j has %j", (vars, expected) => {
    expect(unreadablePaths(vars)).toEqual(expected);
  });
});

describe("variableNames", () => {
  it.each<[unknown, readonly string[]]>([
    [[], []],
    ["x", []],
    [[["a", "==", "b"]], ["a"]],
    [[["a", "b"]], ["a"]],
    [
      ["and", ["a", "in", ["b"]], ["!OR", ["c", "!", ">", 1], [["d", "~~", "e"]]]],
      ["a", "c", "d"],
    ],
  ])("of %j are %j", (vars, expected) => {
    expect(variableNames(vars)).toEqual(expected);
  });
});
