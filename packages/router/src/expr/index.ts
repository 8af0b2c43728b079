export { compileExpression } from "./compile-expression.ts";
export type { CompiledExpression, VariableLookup } from "./expression.ts";
export { compileJsonPath, type JsonPath } from "./json-path/compile-json-path.ts";
export { unreadablePaths, unsupportedPatterns, variableNames } from "./unsupported-patterns.ts";
