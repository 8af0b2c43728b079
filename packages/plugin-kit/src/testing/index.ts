export { type ContractOptions, describePlugin } from "./describe-plugin.ts";
export { type FakeConnections, fakeConnections } from "./fake-connections.ts";
export { type FakeRequestOptions, fakeRequestContext } from "./fake-request-context.ts";
export { type RecordedLine, type RecordingLogger, recordingLogger } from "./recording-logger.ts";
