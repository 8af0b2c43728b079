export {
  type EchoReply,
  type EchoResponder,
  EchoUpstream,
  type EchoUpstreamOptions,
  type RecordedRequest,
  startEchoUpstream,
} from "./echo-upstream.ts";
export { type EventuallyOptions, eventually } from "./eventually.ts";
export { FakeClock } from "./fake-clock.ts";
export { FakeConfigStore, type FakeConfigStoreOptions } from "./fake-config-store.ts";
export { type TempDirectory, tempDirectory } from "./temp-directory.ts";
