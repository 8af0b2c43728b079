export type { Answer, ObjectsById, SentRequest } from "@fngate/plugin-kit/testing";
export { configurationProblem } from "./configuration-problem.ts";
export { type LoggedLine, recordingLogger } from "./recording-logger.ts";
export { type GatewaySetup, RunningGateway, runGateway } from "./run-gateway.ts";
export { sendRequest } from "./send-request.ts";
