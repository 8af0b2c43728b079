export type { CompiledExpression, VariableLookup } from "./expression.ts";
