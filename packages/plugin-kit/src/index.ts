export type {
  FunctionCall,
  GatewayRequest,
  LogContext,
  MatchedRoute,
  PhaseResult,
  Reply,
  RequestBody,
  RequestContext,
  ResponseContext,
  ResponseSource,
} from "./context.ts";
export {
  definePlugin,
  type PluginCatalog,
  type PluginDefinition,
  type PluginDeps,
  type PluginInstance,
} from "./plugin.ts";
