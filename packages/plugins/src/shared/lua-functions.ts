import { GatewayError } from "@fngate/kernel";
import { z } from "zod";

/** Configuration of the plugins that run Lua in APISIX (APISIX: serverless). */
export const luaFunctionsSchema = z.looseObject({
  phase: z
    .enum(["rewrite", "access", "header_filter", "body_filter", "log", "before_proxy"])
    .default("access")
    .describe("Phase that the functions are for."),
  functions: z.array(z.string()).min(1).describe("Sources of Lua functions, which are not run."),
});

/**
 * Refuses any configuration. Decision: data-plane/docs/decision-lua.md.
 * @throws GatewayError `PLUGIN_UNSUPPORTED`
 */
export function refuseLua(): never {
  const message =
    "functions is Lua, which is not run: write a plugin in TypeScript (fngate plugin new NAME; packages/plugin-kit/docs/tutorial.md)";
  throw new GatewayError("PLUGIN_UNSUPPORTED", message, { details: { field: "functions" } });
}
