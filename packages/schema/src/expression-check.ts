import { isGatewayError } from "@fngate/kernel";
import { compileExpression } from "@fngate/router/expr";

/** What is wrong with a `vars` or `_meta.filter` expression; the whole `error_msg`. APISIX: lua-resty-expr. */
export function expressionProblem(vars: unknown): string | undefined {
  try {
    compileExpression(vars);
    return undefined;
  } catch (error) {
    if (!isGatewayError(error, "EXPRESSION_INVALID")) throw error;
    return `failed to validate the 'vars' expression: ${error.message}`;
  }
}
