import { equal, notEqual } from "./equality.ts";
import { ipMatch } from "./ip-match.ts";
import { has, isIn } from "./membership.ts";
import type { Operator } from "./operator.ts";
import { orderOperators } from "./order.ts";
import { matches, matchesWithoutCase } from "./regex.ts";

const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  [equal, notEqual, ...orderOperators, matches, matchesWithoutCase, isIn, has, ipMatch].map((operator) => [
    operator.name,
    operator,
  ]),
);

/** The operator of that name, in any case. */
export function findOperator(name: unknown): Operator | undefined {
  return typeof name === "string" ? OPERATORS.get(name.toLowerCase()) : undefined;
}
