export { compileExpression } from "./compile-expression.ts";
export type { CompiledExpression, VariableLookup } from "./expression.ts";
export { unsupportedPatterns } from "./unsupported-patterns.ts";
