export type {
  AttemptFailure,
  AttemptOutcome,
  Exchange,
  Forwarder,
  OutgoingBody,
  OutgoingRequest,
  ResponseSink,
} from "./exchange.ts";
