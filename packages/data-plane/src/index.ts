export { checkAccessLogTemplate } from "./access-log-template.ts";
export { createDataPlane } from "./data-plane.ts";
export type { Diagnostic, DiagnosticCode } from "./diagnostic.ts";
export type {
  AccessLogEscape,
  AccessLogFormat,
  AccessLogSink,
  BoundAddress,
  DataPlane,
  DataPlaneOptions,
  ListenAddress,
  ListenerName,
  MetricsOptions,
  ProxyAdminOptions,
  RealIpOptions,
  RequestMetricOptions,
  RequestMetricsOptions,
  TlsSettings,
  TrafficAddress,
  Transport,
  UpstreamOptions,
} from "./options.ts";
