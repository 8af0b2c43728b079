import { isGatewayError } from "@fngate/kernel";
import { describe, expect, it } from "vitest";
import { compileExpression } from "./compile-expression.ts";
import type { TextCondition, VariableLookup } from "./expression.ts";

function evaluate(vars: unknown, variables: Readonly<Record<string, unknown>> = {}): boolean {
  return compileExpression(vars).evaluate({ get: (name) => variables[name] });
}

function refusal(vars: unknown): string {
  try {
    compileExpression(vars);
    return "accepted";
  } catch (error) {
    return isGatewayError(error, "EXPRESSION_INVALID") ? error.message : "wrong code";
  }
}

interface Reading {
  readonly necessary: TextCondition | undefined;
  remainder(lookup: VariableLookup): boolean;
  evaluate(variables: Readonly<Record<string, unknown>>): boolean;
}

function readingOf(vars: unknown): Reading {
  const { necessary, remainder } = compileExpression(vars);
  return {
    necessary,
    remainder: (lookup) => remainder?.evaluate(lookup) ?? true,
    evaluate: (variables) => evaluate(vars, variables),
  };
}

const ABSENT = undefined;

describe("operators", () => {
  it.each<[unknown, unknown, unknown, boolean]>([
    ["1", "==", "1", true],
    ["1", "==", "2", false],
    ["1", "==", 1, true],
    [" 0x10 ", "==", 16, true],
    ["1e2", "==", 100, true],
    ["x", "==", 1, false],
    ["", "==", 0, false],
    [1, "==", "1", false],
    [1, "==", 1, true],
    [true, "==", true, true],
    [true, "==", "", false],
    [true, "==", 1, false],
    [ABSENT, "==", "", false],
    [ABSENT, "==", null, true],
    ["x", "==", null, false],
    ["a", "==", ["a"], false],
    ["1", "~=", "1", false],
    ["1", "~=", "2", true],
    ["x", "~=", 1, true],
    ["1", "~=", 1, false],
    [1, "~=", "1", true],
    [ABSENT, "~=", "x", true],
    [ABSENT, "~=", null, false],
    ["10", ">", 9, true],
    ["10", ">", "9", true],
    ["9", ">", 9, false],
    ["x", ">", 9, false],
    ["10", ">", "x", false],
    [ABSENT, ">", 1, false],
    ["9", ">=", 9, true],
    ["8.5", ">=", 9, false],
    ["-1", "<", 0, true],
    ["0", "<", 0, false],
    [ABSENT, "<", 1, false],
    ["0", "<=", 0, true],
    ["-0x1", "<=", -1, true],
    ["+0x2", "<=", 1, false],
    ["/api/users", "~~", "^/api/[a-z]+$", true],
    ["x/api/users", "~~", "api", true],
    ["/API", "~~", "api", false],
    ["12", "~~", 2, true],
    [12, "~~", "^12$", true],
    ["x", "~~", "(", false],
    ["x", "~~", ["x"], false],
    [["x"], "~~", "x", false],
    [ABSENT, "~~", ".*", false],
    ["/API", "~*", "api", true],
    ["/x", "~*", "api", false],
    ["x", "~*", "[", false],
    ["b", "in", ["a", "b"], true],
    ["c", "in", ["a", "b"], false],
    ["1", "in", [1], false],
    [1, "in", [1], true],
    ["a", "in", "abc", false],
    [ABSENT, "in", ["a", null], false],
    [["a", "b"], "has", "b", true],
    [["a", "b"], "has", "c", false],
    [["1"], "has", 1, false],
    ["abc", "has", "b", false],
    [ABSENT, "has", "b", false],
    ["10.2.3.4", "ipmatch", "10.0.0.0/8", true],
    ["11.2.3.4", "ipmatch", "10.0.0.0/8", false],
    ["::ffff:10.2.3.4", "ipmatch", ["192.168.0.0/16", "10.0.0.0/8"], true],
    ["fd00::1", "ipmatch", ["fd00::/8"], true],
    ["nonsense", "ipmatch", ["0.0.0.0/0", "::/0"], false],
    [ABSENT, "ipmatch", ["0.0.0.0/0"], false],
    ["1", "IN", ["1"], true],
    ["10.2.3.4", "IpMatch", "10.2.3.4", true],
  ])("%j %s %j is %j, and the negation the opposite", (...[actual, operator, expected, holds]) => {
    const variables = { x: actual };
    expect(evaluate([["x", operator, expected]], variables)).toBe(holds);
    expect(evaluate([["x", "!", operator, expected]], variables)).toBe(!holds);
  });
});

describe("forms", () => {
  const yes = ["t", "==", "1"];
  const no = ["t", "==", "0"];

  it.each<[unknown, boolean]>([
    [[], true],
    [{}, true],
    [[yes], true],
    [[no], false],
    [[["t", "1"]], true],
    [[["t", 1]], true],
    [[["t", "foo"]], false],
    [[yes, no], false],
    [[yes, yes], true],
    [["AND", yes, no], false],
    [["and", yes, yes], true],
    [["OR", no, yes], true],
    [["or", no, no], false],
    [["!AND", yes, yes], false],
    [["!and", yes, no], true],
    [["!OR", no, no], true],
    [["!or", no, yes], false],
    [[[yes, yes]], true],
    [[yes, ["OR", no, ["!AND", yes, no]]], true],
    [["OR", [yes, no], ["AND", yes, ["!OR", no, no]]], true],
    [[["t", "!", "in", ["1"]]], false],
  ])("%j is %j where t is 1", (vars, holds) => {
    expect(evaluate(vars, { t: "1" })).toBe(holds);
  });

  it("asks for no variable after the group is decided", () => {
    const asked: string[] = [];
    const lookup = { get: (name: string) => asked.push(name) };
    compileExpression([
      ["a", "==", "x"],
      ["b", "==", "x"],
    ]).evaluate(lookup);
    compileExpression(["OR", ["c", ">", 0], ["d", ">", 0]]).evaluate(lookup);
    expect(asked).toEqual(["a", "c"]);
  });

  it("takes a number as the name of a variable", () => {
    expect(evaluate([[1, "==", "x"]], { "1": "x" })).toBe(true);
  });

  it("gives a pattern that explodes elsewhere an answer at once", () => {
    expect(evaluate([["x", "~~", "^(a+)+$"]], { x: `${"a".repeat(50_000)}b` })).toBe(false);
  });
});

describe("conditions that many expressions have", () => {
  it("are compiled once", () => {
    const compile = () => compileExpression([["arg_version", ">=", 2]]);
    expect(compile()).toBe(compile());
  });

  it("are told apart by everything that makes them different", () => {
    expect(evaluate([["a", "==", 1]], { a: "1.0" })).toBe(true);
    expect(evaluate([["a", "==", "1"]], { a: "1.0" })).toBe(false);
    expect(evaluate([["a", "!", "==", "1"]], { a: "1.0" })).toBe(true);
    expect(evaluate([["a", "~=", "1"]], { a: "1" })).toBe(false);
    expect(evaluate([["a1", "==", "1"]], { a: "11" })).toBe(false);
    expect(evaluate([["a", "==", "11"]], { a: "11" })).toBe(true);
    expect(evaluate([["a", "in", ["1"]]], { a: "1" })).toBe(true);
    expect(evaluate([["a", "in", ["2"]]], { a: "1" })).toBe(false);
  });
});

describe("a necessary condition and its remainder", () => {
  const a = ["a", "==", "1"];
  const b = ["b", ">", 1];
  const c = ["c", "!", "==", "3"];

  it.each([
    [[a], 0],
    [[a, b], 1],
    [[b, a], 1],
    [[a, a, b, c], 2],
    [["AND", b, c, a], 2],
    [["AND", c, ["AND", b, a]], 2],
    [["AND", ["AND", a, a], c], 1],
    [["AND", ["OR", b, c], a], 2],
  ])("of %j say together what the whole says", (vars, leftConditions) => {
    const { necessary, remainder, ...whole } = readingOf(vars);
    expect(necessary).toMatchObject({ variable: "a", text: "1" });
    const asked = new Set<string>();
    for (const given of [{}, { a: "1" }, { a: "1", b: 2 }, { a: "1", b: 2, c: "3" }, { b: 2 }, { a: 1, b: 2 }]) {
      const variables: Readonly<Record<string, unknown>> = given;
      const lookup = {
        get: (name: string) => {
          asked.add(name);
          return variables[name];
        },
      };
      expect(variables["a"] === "1" && remainder(lookup)).toBe(whole.evaluate(variables));
    }
    asked.delete("a");
    expect(asked.size).toBe(leftConditions);
  });

  it.each([[[b, c]], [["OR", a, b]], [["!AND", a, b]], [["!OR", a, b]]])("is not found in %j", (vars) => {
    expect(compileExpression(vars).necessary).toBeUndefined();
  });
});

describe("refusals", () => {
  it.each<[unknown, string]>([
    [["a", "==", "b"], "rule should be wrapped inside brackets"],
    [[1], "rule should be wrapped inside brackets"],
    [[null], "rule should be wrapped inside brackets"],
    ["a", "rule should be wrapped inside brackets"],
    [null, "rule should be wrapped inside brackets"],
    [{ a: 1 }, "rule should be wrapped inside brackets"],
    [[["a", "==", "b"], "c"], "rule should be wrapped inside brackets"],
    [[["a", "==", "b"], null], "rule should be wrapped inside brackets"],
    [[[]], "rule too short"],
    [[{}], "rule too short"],
    [["OR"], "rule too short"],
    [["OR", ["a", "==", "b"]], "rule too short"],
    [[["!AND", ["a", "==", "b"]]], "rule too short"],
    [[["a"]], "invalid expression"],
    [[[null, "==", 1]], "invalid expression"],
    [[["a", "!", "==", "b", "c"]], "invalid expression"],
    [[["a", "foo", "b"]], "invalid operator 'foo'"],
    [[["a", 1, "b"]], "invalid operator '1'"],
    [[["a", "!", "foo", "b"]], "invalid operator 'foo'"],
    [[["a", "==", "b", "c"]], "bad 'not' expression"],
    [[["a", "ipmatch", "x"]], "invalid ip address: x"],
    [[["a", "ipmatch", ["10.0.0.1", "10.0.0.0/33"]]], "invalid ip address: 10.0.0.0/33"],
    [[["a", "ipmatch", 1]], "invalid ip address"],
  ])("%j: %s", (vars, message) => {
    expect(refusal(vars)).toBe(message);
  });

  it("an operator that cannot be written as text is refused all the same", () => {
    expect(refusal([["a", { toString: 1 }, "b"]])).toBe("invalid operator 'table'");
  });

  it("nesting deeper than any written expression is refused, not followed", () => {
    let vars: unknown = ["a", "==", "b"];
    for (let depth = 0; depth < 10_000; depth += 1) vars = [vars];
    expect(refusal(vars)).toMatch(/nested deeper/);
  });
});
