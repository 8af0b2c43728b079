import { luaFunctionsSchema } from "../shared/lua-functions.ts";

/** Configuration of the plugin (APISIX: serverless-post-function). */
export const serverlessPostFunctionSchema = luaFunctionsSchema;
