import type { CompiledExpression, VariableLookup } from "./expression.ts";
import type { Test } from "./operators/operator.ts";

/** One variable compared with one value. */
export class Condition implements CompiledExpression {
  readonly #variable: string;
  readonly #test: Test;
  readonly #isNegated: boolean;

  constructor(variable: string, test: Test, isNegated: boolean) {
    this.#variable = variable;
    this.#test = test;
    this.#isNegated = isNegated;
  }

  evaluate(variables: VariableLookup): boolean {
    return this.#test(variables.get(this.#variable)) !== this.#isNegated;
  }
}
