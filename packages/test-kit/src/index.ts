export { type Certificates, type CertificatesOptions, createCertificates, type KeyPair } from "./certificates.ts";
export { DnsServer, type DnsZone } from "./dns-server.ts";
export {
  type EchoReply,
  type EchoResponder,
  EchoUpstream,
  type EchoUpstreamOptions,
  type RecordedRequest,
  startEchoUpstream,
} from "./echo-upstream.ts";
export { findEtcd } from "./etcd-binary.ts";
export { type EtcdOptions, EtcdProcess, startEtcd } from "./etcd-process.ts";
export { type EventuallyOptions, eventually } from "./eventually.ts";
export { FakeClock } from "./fake-clock.ts";
export { FakeConfigStore, type FakeConfigStoreOptions } from "./fake-config-store.ts";
export { freePorts } from "./free-ports.ts";
export { type ExportedSpan, OtlpCollector, startOtlpCollector } from "./otlp-collector.ts";
export { findRedis } from "./redis-binary.ts";
export { type RedisOptions, RedisProcess, startRedis } from "./redis-process.ts";
export { startTcpRelay, type TcpRelay } from "./tcp-relay.ts";
export { type TempDirectory, tempDirectory } from "./temp-directory.ts";
export { startVault, type VaultServer } from "./vault-server.ts";
