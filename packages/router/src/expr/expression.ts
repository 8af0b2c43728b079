/** Reads a request variable by its APISIX name (`arg_x`, `http_x`, `uri`, …); `undefined` when absent. */
export interface VariableLookup {
  get(name: string): unknown;
}

/** A variable that has to be this text. */
export interface TextCondition {
  readonly variable: string;
  readonly text: string;
}

/** A `vars` expression compiled once; evaluating allocates nothing. */
export interface CompiledExpression {
  evaluate(variables: VariableLookup): boolean;
  /** A condition without which the expression never holds, for whoever looks expressions up by it. */
  readonly necessary?: TextCondition | undefined;
  /** What has to hold beside the necessary condition; absent: nothing. */
  readonly remainder?: CompiledExpression | undefined;
}
