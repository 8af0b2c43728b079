import { z } from "zod";

/** Configuration of the plugins that run Lua in APISIX (APISIX: serverless). */
export const luaFunctionsSchema = z.looseObject({
  phase: z
    .enum(["rewrite", "access", "header_filter", "body_filter", "log", "before_proxy"])
    .default("access")
    .describe("Phase that the functions are for."),
  functions: z.array(z.string()).min(1).describe("Sources of Lua functions, which are not run."),
});
