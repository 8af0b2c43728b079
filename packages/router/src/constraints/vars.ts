import type { CompiledExpression } from "../expr/expression.ts";
import type { MatchInput } from "../router.ts";
import type { Constraint, ConstraintStrategy } from "./constraint.ts";

/** The expression must hold for the request's variables. Source: APISIX routing, `vars`. */
export const varsStrategy: ConstraintStrategy = {
  name: "vars",
  compile: ({ vars }) => (vars === undefined ? undefined : new Vars(vars)),
};

class Vars implements Constraint {
  readonly #expression: CompiledExpression;

  constructor(expression: CompiledExpression) {
    this.#expression = expression;
  }

  admits(input: MatchInput): boolean {
    return this.#expression.evaluate(input.variables);
  }
}
