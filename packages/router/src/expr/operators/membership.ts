import type { Operator } from "./operator.ts";

/** `in`: the variable is strictly equal to a member; `"1"` is not in `[1]`, and nothing is in a text. */
export const isIn: Operator = {
  name: "in",
  compile: (expected) => {
    if (!Array.isArray(expected)) return () => false;
    const members = new Set<unknown>(expected.filter((member) => member !== null));
    return (actual) => members.has(actual);
  },
};

/** `has`: the variable is a list with the value in it. */
export const has: Operator = {
  name: "has",
  compile: (expected) => (actual) => Array.isArray(actual) && actual.includes(expected),
};
