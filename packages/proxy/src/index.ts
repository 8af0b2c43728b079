export type {
  AttemptFailure,
  AttemptOutcome,
  Exchange,
  Forwarder,
  OutgoingBody,
  OutgoingRequest,
  ResponseSink,
} from "./exchange.ts";
export { prepareHeaders } from "./headers/request-headers.ts";
export {
  type ConnectionManager,
  type ConnectionStats,
  type ConnectionsOptions,
  createConnections,
} from "./http/connections.ts";
