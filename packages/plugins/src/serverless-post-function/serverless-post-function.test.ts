import { describeLuaPlugin } from "../testing/describe-lua-plugin.ts";
import { serverlessPostFunction } from "./index.ts";

describeLuaPlugin(serverlessPostFunction, import.meta.dirname);
