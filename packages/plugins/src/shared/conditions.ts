import { isGatewayError } from "@fngate/kernel";
import type { RequestContext } from "@fngate/plugin-kit";
import { type CompiledExpression, compileExpression, type VariableLookup } from "@fngate/router/expr";
import type { z } from "zod";

/** Tells whether a request meets a condition. */
export type ConditionTest = (variables: VariableLookup) => boolean;

/** Compiles a list of `vars` expressions of which one has to hold; an empty list never does, an absent one always. */
export function compileAnyOf(expressions: readonly unknown[] | undefined): ConditionTest {
  if (expressions === undefined) return () => true;
  const compiled: readonly CompiledExpression[] = expressions.map(compileExpression);
  return (variables) => compiled.some((expression) => expression.evaluate(variables));
}

/** What is wrong with a `vars` expression, in the words of APISIX's library; nothing when it is sound. */
export function expressionProblem(expression: unknown): string | undefined {
  try {
    compileExpression(expression);
    return undefined;
  } catch (error) {
    if (!isGatewayError(error, "EXPRESSION_INVALID")) throw error;
    return error.message;
  }
}

/** Reports the first expression that is not sound, at the place of the whole configuration; `prefix` begins the message. */
export function checkExpressions(
  context: z.core.$RefinementCtx,
  expressions: readonly unknown[],
  prefix: string = "",
): void {
  for (const expression of expressions) {
    const problem = expressionProblem(expression);
    if (problem === undefined) continue;
    context.addIssue({ code: "custom", message: prefix + problem });
    return;
  }
}

/** Most of a body that conditions look into, bytes (APISIX: `apisix.max_post_args_readable_size`). */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Tells whether expressions ask for variables that are read from the body. */
export function asksForBody(expressions: unknown): boolean {
  return /"(post_arg|graphql_)/.test(JSON.stringify(expressions) ?? "");
}

/** Tells whether texts with `$variables` in them ask for such variables. */
export function templatesAskForBody(templates: unknown): boolean {
  return /\$(\{\s*)?(post_arg|graphql_)/.test(JSON.stringify(templates) ?? "");
}

/** Runs what decides by conditions, after the body was read ahead where they ask for it; else at once. */
export function decideBy<TResult>(
  isBodyWanted: boolean,
  { request }: RequestContext,
  decide: () => TResult | Promise<TResult>,
): TResult | Promise<TResult> {
  if (!isBodyWanted || !request.body.isPresent) return decide();
  return request.body.peek(MAX_BODY_BYTES).then(decide);
}
