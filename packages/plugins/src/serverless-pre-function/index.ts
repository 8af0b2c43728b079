import { definePlugin } from "@fngate/plugin-kit";
import { refuseLua } from "../shared/lua-refusal.ts";
import { serverlessPreFunctionSchema } from "./schema.ts";

/** Known, validated and refused: Lua before all other plugins (APISIX: serverless-pre-function). */
export const serverlessPreFunction = definePlugin({
  name: "serverless-pre-function",
  version: 0.1,
  priority: 10000,
  schema: serverlessPreFunctionSchema,
  setup: () => refuseLua("functions"),
});
