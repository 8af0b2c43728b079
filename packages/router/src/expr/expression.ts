/** Reads a request variable by its APISIX name (`arg_x`, `http_x`, `uri`, …); `undefined` when absent. */
export interface VariableLookup {
  get(name: string): unknown;
}

/** A `vars` expression compiled once; evaluating allocates nothing. */
export interface CompiledExpression {
  evaluate(variables: VariableLookup): boolean;
}
