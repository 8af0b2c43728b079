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
