import type { VariableReader } from "@fngate/proxy";
import type { ExchangeContext } from "./exchange-context.ts";
import { RequestVariables } from "./request-variables.ts";

/** Variables of a request as texts, for balancers that choose by them. */
export function variableReader({ request }: ExchangeContext): VariableReader {
  const variables = new RequestVariables(request);
  return (name) => {
    const value = variables.get(name);
    return typeof value === "string" ? value : undefined;
  };
}
