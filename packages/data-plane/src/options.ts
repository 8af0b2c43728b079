import type { Clock, Logger, TargetKeepalive } from "@fngate/kernel";
import type { MetricsText, PluginCatalog } from "@fngate/plugin-kit";
import type { DnsResolverOptions, UpstreamHealthReport } from "@fngate/proxy";
import type { RouterKind } from "@fngate/router";
import type { ConfigStore } from "@fngate/store";
import type { TlsProtocol } from "./compile/snapshot.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { BodyVariableLimits } from "./http/body-variables.ts";
import type { RequestMetric } from "./metrics/request-metrics.ts";
import type { SecretCacheOptions } from "./secrets/secret-book.ts";
import type { SideSource } from "./side/side-desk.ts";

/** Where a listener binds; port 0 takes any free port. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** What is spoken on a port of the traffic, beside HTTP/1.1. */
export interface Transport {
  /** TLS with the certificates of the `ssl` objects; default false. */
  readonly isTls?: boolean;
  /** HTTP/2: agreed on with TLS, by prior knowledge in the clear; default false. */
  readonly isHttp2Enabled?: boolean;
  /** Every connection has to begin with a PROXY protocol header; default false. */
  readonly isProxied?: boolean;
}

/** A port of the traffic. */
export interface TrafficAddress extends ListenAddress, Transport {}

/** What holds for every TLS port (APISIX: `apisix.ssl`); objects may differ in their protocols. */
export interface TlsSettings {
  /** Default TLS 1.2 and 1.3. */
  readonly protocols?: readonly TlsProtocol[];
  /** OpenSSL's list of cipher suites up to TLS 1.2; default: APISIX's. */
  readonly ciphers?: string;
  /** Lets clients resume sessions by tickets; default false: no resumption. */
  readonly sessionTickets?: boolean;
  /** What ticket keys come from: processes with the same one take each other's; default: random. */
  readonly ticketSecret?: Uint8Array;
  /** Name whose certificate is shown to clients that name no server; default: such clients are refused. */
  readonly fallbackSni?: string;
}

/** Which listener came up, for {@link DataPlaneOptions.onListening}. */
export type ListenerName = "http" | "https" | "proxied-http" | "proxied-https" | "metrics" | "status" | "control";

/** Receives finished access-log lines, each ending in a line feed; expected to buffer, never to throw. */
export interface AccessLogSink {
  write(line: string): void;
}

/** Access-log shape: APISIX's default text line, or one JSON object per line. */
export type AccessLogFormat = "text" | "json";

/** Whose word on the client's address is believed; APISIX's `nginx_config.http.real_ip_*`. */
export interface RealIpOptions {
  /** Field that names the client, or `proxy_protocol` for the PROXY protocol's header; default `X-Real-IP`. */
  readonly header?: string;
  /** Peers that are believed (addresses and CIDR ranges); default `127.0.0.1`. */
  readonly from?: readonly string[];
  /** For lists such as `X-Forwarded-For`: skip believed addresses from the right; default false, the last one counts. */
  readonly recursive?: boolean;
}

/** Prometheus metrics on their own listener. */
export interface MetricsOptions extends ListenAddress {
  /** Default `/apisix/prometheus/metrics`. */
  readonly uri?: string;
}

/** How one metric about requests differs from APISIX's default. */
export interface RequestMetricOptions {
  /** Milliseconds without a request after which a series is forgotten; absent: never. */
  readonly expiryMs?: number;
  /** Labels whose values are variables of the request. */
  readonly extraLabels?: readonly { readonly name: string; readonly variable: string }[];
}

/** How metrics about requests are named and told apart (APISIX: `plugin_attr.prometheus`). */
export interface RequestMetricsOptions {
  /** What names of APISIX's metrics start with; default `apisix_`. */
  readonly prefix?: string;
  /** Upper bounds of `http_latency`, ascending, milliseconds; default: APISIX's. */
  readonly latencyBucketsMs?: readonly number[];
  readonly series?: Readonly<Partial<Record<RequestMetric, RequestMetricOptions>>>;
}

/** Serves `/apisix/admin` on the data-plane port, as old APISIX releases did. */
export interface ProxyAdminOptions {
  readonly target: ListenAddress | { readonly socketPath: string };
  /** Peers (addresses and CIDR ranges) that may use it; everybody else gets what they would get without it. */
  readonly allowedAddresses: readonly string[];
}

/** What clients may cost (APISIX: `nginx_config.http`). */
export interface ClientLimits {
  /** How long a connection may idle between requests, milliseconds; 0: no connection is kept. Default 60000. */
  readonly keepAliveTimeoutMs?: number;
  /** How long a head may take, milliseconds; then 408. Default 60000. */
  readonly headerTimeoutMs?: number;
  /** Time without progress of a body or of an answer that the client reads, milliseconds; then 408. Default 60000. */
  readonly bodyTimeoutMs?: number;
  /** Largest request body in bytes, beyond it 413; default 0: no limit. */
  readonly maxBodyBytes?: number;
}

/** How upstreams are called, as far as they do not say so themselves. */
export interface UpstreamOptions {
  /** Whether `checks` are acted on (APISIX: `apisix.disable_upstream_healthcheck`); default true. */
  readonly areChecksEnabled?: boolean;
  /** How names of nodes are resolved; default: as the machine's files say. */
  readonly dns?: DnsResolverOptions;
  /** How services are found; absent: by no means. */
  readonly discovery?: { readonly dns: DnsResolverOptions };
  /** What holds for upstreams without `keepalive_pool`; default: 320 connections, 60 seconds, 1000 requests. */
  readonly keepalive?: TargetKeepalive;
}

/** nginx's ways to write values into a log line: `\xHH` for what could break it, as inside a JSON string, or as they are. */
export type AccessLogEscape = "default" | "json" | "none";

/** Which gateway this is. */
export interface GatewayIdentity {
  /** APISIX: `apisix.id`. */
  readonly id: string | number;
  /** Version of APISIX that it behaves like. */
  readonly version: string;
}

/** Everything a data plane is made from; the command line maps `config.yaml` to it. */
export interface DataPlaneOptions {
  readonly store: ConfigStore;
  /** Key prefix in the store without a trailing slash, e.g. `/apisix`. */
  readonly prefix: string;
  readonly catalog: PluginCatalog;
  /**
   * Loads the plugins again when a control plane asks for it through the store; the catalog has the new ones then.
   * Rejects, and nothing changed, when one is unsound.
   */
  readonly reloadPlugins?: () => Promise<void>;
  /** Keys that encrypted plugin fields are tried with, in order; absent or empty: fields are taken as they are. */
  readonly keyring?: readonly string[];
  /** How long secrets of managers hold; default: APISIX's five minutes. */
  readonly secretCache?: SecretCacheOptions;
  /** Environment variables that `$env://NAME` in plugin configurations refers to; default: none. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** `plugin_attr`: settings of plugins by name, for the process as a whole; default: none. */
  readonly pluginAttributes?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Longest wait for one phase of one plugin that does not answer at once, milliseconds; default 300000. */
  readonly pluginDeadlineMs?: number;
  /** Whether `proxy-rewrite` changes path, query and `Host` of calls to functions; default true, false as in APISIX. */
  readonly areFunctionTargetsRewritten?: boolean;
  /** PEM certificates trusted for `https` functions and upstreams, beside Node's own and the system's. */
  readonly caCertificates?: readonly string[];
  readonly listen: readonly TrafficAddress[];
  readonly tls?: TlsSettings;
  readonly routerKind: RouterKind;
  /** Value of `Server` in every answer. */
  readonly serverHeader: string;
  /** What text types get that name no charset; false: nothing. Default `utf-8`. */
  readonly charset?: string | false;
  /** What plugins report the gateway as; default: an id of its own with every start, the version in `serverHeader`. */
  readonly identity?: GatewayIdentity;
  /** Peers whose `X-Forwarded-*` are believed; absent: none are, and `X-Forwarded-For` is passed on as it came. */
  readonly trustedAddresses?: readonly string[];
  readonly realIp?: RealIpOptions;
  /** Cut one trailing slash for matching; default false. */
  readonly deleteUriTailSlash?: boolean;
  /** Keep `%2F` as text for matching; default false. */
  readonly matchUriEncodedSlash?: boolean;
  /** Drop path parameters (`;x`) for matching; default false. */
  readonly normalizeUriLikeServlet?: boolean;
  /** Up to which size bodies are read for `post_arg` and `graphql_*` variables; default: APISIX's 64 MiB and 1 MiB. */
  readonly bodyVariables?: BodyVariableLimits;
  /** Send `X-APISIX-Upstream-Status` with every upstream answer and not only with 5xx; default false. */
  readonly showUpstreamStatus?: boolean;
  readonly upstreams?: UpstreamOptions;
  /** Largest head (request line and fields) in bytes; default 32768. */
  readonly maxHeaderBytes?: number;
  readonly clientLimits?: ClientLimits;
  readonly metrics?: MetricsOptions;
  readonly requestMetrics?: RequestMetricsOptions;
  /** Metrics of the whole gateway, where this data plane is one process of several; default: its own. */
  readonly gatherMetrics?: () => Promise<MetricsText>;
  readonly status?: ListenAddress;
  /** APISIX's Control API, which asks nobody who they are: for loopback addresses. */
  readonly control?: ListenAddress;
  /** False leaves the listeners of `metrics`, `status` and `control` to somebody else; default true. */
  readonly listenBeside?: boolean;
  readonly proxyAdmin?: ProxyAdminOptions;
  readonly accessLog?: AccessLogSink;
  /** Default `text`. */
  readonly accessLogFormat?: AccessLogFormat;
  /** Template of text lines in nginx's variables; default: APISIX's line. */
  readonly accessLogTemplate?: string;
  /** How values are written into a template; default `default`. */
  readonly accessLogEscape?: AccessLogEscape;
  /** File that keeps the last complete configuration, so that a start without store serves it. */
  readonly lastKnownFile?: string;
  /** False leaves writing that file to another process; default true. */
  readonly writesLastKnownFile?: boolean;
  /** Shortest time between two publications of configuration, milliseconds; default 10. */
  readonly publishIntervalMs?: number;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Source of jitter in `[0, 1)`; default `Math.random`. */
  readonly random?: () => number;
  /** Called once per listener when it accepts connections. */
  readonly onListening?: (listener: ListenerName, host: string, port: number) => void;
}

/** A bound listener. */
export interface BoundAddress extends ListenAddress {
  readonly listener: ListenerName;
}

/** A running data plane. */
export interface DataPlane extends SideSource {
  /**
   * Binds the listeners and begins to follow the store; resolves when the listeners are up, which is before the
   * first configuration is there. Raises `LISTEN_FAILED`; what was bound by then is closed again.
   */
  start(): Promise<void>;
  /** What is bound, with real ports; empty before {@link DataPlane.start}. */
  readonly addresses: readonly BoundAddress[];
  /** True from the first complete configuration on, until {@link DataPlane.stop}. */
  readonly isReady: boolean;
  /** What is wrong with the configuration now, one entry per finding. */
  readonly diagnostics: readonly Diagnostic[];
  /** Upstreams with `checks` and how their nodes do (APISIX: Control API `/v1/healthcheck`). */
  listHealth(): readonly UpstreamHealthReport[];
  /** Log files of plugins were moved: each is opened anew for its next line. */
  reopenLogs(): void;
  /**
   * Unready, no new connections, running requests may end within `deadlineMs` milliseconds, then sockets are cut.
   * Raises `LIFECYCLE_DRAIN_TIMEOUT`, after everything is down, when sockets had to be cut.
   */
  stop(options: { readonly deadlineMs: number }): Promise<void>;
}
