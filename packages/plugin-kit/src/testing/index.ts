export { type ContractOptions, describePlugin } from "./describe-plugin.ts";
export { type FakeConnections, fakeConnections } from "./fake-connections.ts";
export {
  type FakeHttp,
  type FakeMetrics,
  type FakeShared,
  fakeConsumers,
  fakeDeps,
  fakeHttp,
  fakeMetrics,
  fakeServer,
  fakeShared,
  type HttpResponder,
} from "./fake-deps.ts";
export {
  type FakeRequestContext,
  type FakeRequestOptions,
  type FakeResponseOptions,
  fakeLogContext,
  fakeRequestContext,
} from "./fake-request-context.ts";
export { type RecordedLine, type RecordingLogger, recordingLogger } from "./recording-logger.ts";
export { runGateway } from "./run-gateway.ts";
export type {
  Answer,
  ObjectsById,
  ReceivedRequest,
  RunGateway,
  SentHeaders,
  SentRequest,
  TestGateway,
  TestGatewaySetup,
  UpstreamReply,
  UpstreamResponder,
} from "./test-gateway.ts";
