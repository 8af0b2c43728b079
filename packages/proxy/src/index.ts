export type {
  AttemptFailure,
  AttemptOutcome,
  AttemptTrace,
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
export { type ClosableHttpClient, createHttpClient, type HttpClientOptions } from "./http/http-client.ts";
export { trustedCertificates } from "./http/trusted-certificates.ts";
export { createDnsResolver, type DnsResolverOptions } from "./names/dns-resolver.ts";
export type { NameAnswer, NameRecord, NameResolver } from "./names/name-resolver.ts";
export {
  createUpgradeTunnel,
  type FailureAnswer,
  type UpgradeExchange,
  type UpgradeOutcome,
  type UpgradeRequest,
  type UpgradeTunnel,
  type UpgradeTunnelOptions,
} from "./upgrade/upgrade-tunnel.ts";
export type { AttemptEnd, AttemptObserver } from "./upstream/attempt-observer.ts";
export type { NodeFilter, VariableReader } from "./upstream/balancers/balancer.ts";
export { compileUpstream } from "./upstream/compile-upstream.ts";
export type { CompiledUpstream, CompileOptions } from "./upstream/compiled-upstream.ts";
export { CLIENT_CLOSED_REQUEST, statusOf } from "./upstream/failure-status.ts";
export {
  forwardToUpstream,
  type UpstreamAttempt,
  type UpstreamCall,
  type UpstreamExchange,
  type UpstreamResult,
} from "./upstream/forward-to-upstream.ts";
export type { UpstreamConfig, UpstreamNodeConfig } from "./upstream/upstream-config.ts";
export type { UpstreamNode } from "./upstream/upstream-node.ts";
export {
  createUpstreams,
  type NodeHealthReport,
  type UpstreamHealthReport,
  type UpstreamIdentity,
  type Upstreams,
  type UpstreamsOptions,
} from "./upstream/upstreams.ts";
