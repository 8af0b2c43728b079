import { describeLuaPlugin } from "../testing/describe-lua-plugin.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { serverlessPreFunction } from "./index.ts";
import { serverlessPreFunctionSchema } from "./schema.ts";

const functions = ["return function() end"];

describeSchema(serverlessPreFunctionSchema, {
  defaults: [{ functions }, { functions, phase: "access" }],
  accepts: [{ functions, phase: "before_proxy", other: 1 }],
  refuses: [
    [{}, "functions"],
    [{ functions: [] }, "functions"],
    [{ functions: [1] }, "functions.0"],
    [{ functions, phase: "abc" }, "phase"],
  ],
});

describeLuaPlugin(serverlessPreFunction, { folder: import.meta.dirname, refused: { functions: { functions } } });
