import { describeLuaPlugin } from "../testing/describe-lua-plugin.ts";
import { serverlessPreFunction } from "./index.ts";

describeLuaPlugin(serverlessPreFunction, import.meta.dirname);
