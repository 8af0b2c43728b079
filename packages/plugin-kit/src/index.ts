export type { Consumer, ConsumerDirectory, Credential } from "./consumer.ts";
export type {
  AnswerReading,
  CallAttempt,
  CapturedBody,
  FunctionCall,
  GatewayRequest,
  LogContext,
  MatchedRoute,
  PhaseResult,
  Reply,
  RequestBody,
  RequestContext,
  RequestTraffic,
  ResponseContext,
  ResponseSource,
  SeriesNames,
  Variables,
} from "./context.ts";
export {
  type ConfiguredPlugin,
  chooseBodyEncoder,
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
  type NestedCheck,
  type PluginCatalog,
  type PluginDefinition,
  type PluginInstance,
  type PluginReference,
} from "./plugin.ts";
export { findApi, type PluginApi } from "./plugin-api.ts";
export type {
  CheckedValue,
  CounterMetric,
  GatewayDispatch,
  GaugeMetric,
  HistogramMetric,
  LabelValues,
  MetricOptions,
  MetricsText,
  NestedPlugin,
  PluginDeps,
  PluginDirectory,
  PluginMetadata,
  PluginMetrics,
  ServerPort,
  ServerTraffic,
  SharedState,
  SubAnswer,
  SubRequest,
  ValueChecker,
} from "./ports.ts";
export { compileTemplate, type Template, textOf } from "./template.ts";
export type { PluginUpstream, UpstreamCompiler, UpstreamRequest } from "./upstream-request.ts";
export { type WholeBodyOptions, wholeBody } from "./whole-body.ts";
