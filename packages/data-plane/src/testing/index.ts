export { type LoggedLine, recordingLogger } from "./recording-logger.ts";
export { type GatewaySetup, type ObjectsById, RunningGateway, runGateway } from "./run-gateway.ts";
export { type Answer, type SentRequest, sendRequest } from "./send-request.ts";
