/** A test of one variable's value (`undefined` when absent) against a value fixed at compile time. */
export type Test = (actual: unknown) => boolean;

/**
 * One comparison of the expression language. `compile` does everything that depends on `expected` only and raises
 * `EXPRESSION_INVALID` for a value the operator cannot take.
 */
export interface Operator {
  /** Lower case, as written in a condition. */
  readonly name: string;
  compile(expected: unknown): Test;
}
