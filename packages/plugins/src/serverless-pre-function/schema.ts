import { luaFunctionsSchema } from "../shared/lua-functions.ts";

/** Configuration of the plugin (APISIX: serverless-pre-function). */
export const serverlessPreFunctionSchema = luaFunctionsSchema;
