import type { VariableReader } from "@fngate/proxy";
import type { ExchangeContext } from "./exchange-context.ts";

/** Variables of a request as texts, for balancers that choose by them. */
export function variableReader({ variables }: ExchangeContext): VariableReader {
  return (name) => {
    const value = variables.get(name);
    return typeof value === "string" ? value : undefined;
  };
}
