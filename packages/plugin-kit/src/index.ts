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
  type ConfiguredPlugin,
  collectBodyFilters,
  compilePipeline,
  EMPTY_PIPELINE,
  type Hook,
  isPending,
  type Pipeline,
  type RequestHook,
  runHeaderFilters,
  runLogPhase,
  runRequestPhase,
} from "./pipeline.ts";
export {
  definePlugin,
  type PluginCatalog,
  type PluginDefinition,
  type PluginDeps,
  type PluginInstance,
  type PluginReference,
} from "./plugin.ts";
