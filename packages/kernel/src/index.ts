export { type Clock, systemClock, timerDelay } from "./clock.ts";
export {
  ERROR_CODES,
  type ErrorCode,
  GatewayError,
  type GatewayErrorOptions,
  hasCode,
  isGatewayError,
  messageOf,
} from "./errors.ts";
export { HeaderList } from "./header-list.ts";
export type { HttpAnswer, HttpCall, HttpClient } from "./http-client.ts";
export { lazy } from "./lazy.ts";
export {
  Lifecycle,
  type LifecycleOptions,
  type LifecycleStage,
  type StageStopOptions,
  type StopOutcome,
} from "./lifecycle.ts";
export { type LogFields, type Logger, silentLogger } from "./logger.ts";
export { http } from "./node-http.ts";
export type { Connections, Endpoint, Target, TargetKeepalive, TargetTimeouts, TargetTls } from "./transport.ts";
export { type Usage, UsagePool } from "./usage-pool.ts";
