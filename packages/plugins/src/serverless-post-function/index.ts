import { definePlugin } from "@fngate/plugin-kit";
import { refuseLua } from "../shared/lua-refusal.ts";
import { serverlessPostFunctionSchema } from "./schema.ts";

/** Known, validated and refused: Lua after all other plugins (APISIX: serverless-post-function). */
export const serverlessPostFunction = definePlugin({
  name: "serverless-post-function",
  version: 0.1,
  priority: -2000,
  schema: serverlessPostFunctionSchema,
  setup: () => refuseLua("functions"),
});
