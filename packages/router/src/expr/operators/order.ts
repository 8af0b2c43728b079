import { toNumber } from "../lua-number.ts";
import type { Operator } from "./operator.ts";

/** `>`, `>=`, `<`, `<=`: both sides as numbers; false when one of them is none. */
export const orderOperators: readonly Operator[] = [
  orderOperator(">", (actual, expected) => actual > expected),
  orderOperator(">=", (actual, expected) => actual >= expected),
  orderOperator("<", (actual, expected) => actual < expected),
  orderOperator("<=", (actual, expected) => actual <= expected),
];

function orderOperator(name: string, holds: (actual: number, expected: number) => boolean): Operator {
  return {
    name,
    compile: (expected) => {
      const limit = toNumber(expected);
      if (limit === undefined) return () => false;
      return (actual) => {
        const number = toNumber(actual);
        return number !== undefined && holds(number, limit);
      };
    },
  };
}
