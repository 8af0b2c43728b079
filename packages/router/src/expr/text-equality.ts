import type { CompiledExpression, TextCondition, VariableLookup } from "./expression.ts";

/** `==` with a text, the most common condition: equal in type and value. */
export class TextEquality implements CompiledExpression, TextCondition {
  readonly variable: string;
  readonly text: string;

  constructor(variable: string, text: string) {
    this.variable = variable;
    this.text = text;
  }

  get necessary(): TextCondition {
    return this;
  }

  evaluate(variables: VariableLookup): boolean {
    return variables.get(this.variable) === this.text;
  }
}
