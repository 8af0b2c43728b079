import { toNumber } from "../lua-number.ts";
import type { Operator, Test } from "./operator.ts";

/** `==`: by number when the value is one, else equal in type and value; an absent variable equals only null. */
export const equal: Operator = { name: "==", compile: equalTo };

/** `~=`: the negation of `==`. */
export const notEqual: Operator = {
  name: "~=",
  compile: (expected) => {
    const isEqual = equalTo(expected);
    return (actual) => !isEqual(actual);
  },
};

function equalTo(expected: unknown): Test {
  if (typeof expected === "number") return (actual) => toNumber(actual) === expected;
  if (expected === null || expected === undefined) return isAbsent;
  return (actual) => actual === expected;
}

function isAbsent(actual: unknown): boolean {
  return actual === undefined || actual === null;
}
