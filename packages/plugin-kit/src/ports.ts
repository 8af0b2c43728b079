import type { Clock, Connections, HttpClient, Logger, Usage } from "@fngate/kernel";
import type { z } from "zod";
import type { ConsumerDirectory } from "./consumer.ts";
import type { RequestContext } from "./context.ts";
import type { PluginInstance } from "./plugin.ts";
import type { PluginApi } from "./plugin-api.ts";
import type { UpstreamCompiler } from "./upstream-request.ts";

/** The plugin's metadata object (`/apisix/admin/plugin_metadata/NAME`), which changes while the plugin runs. */
export interface PluginMetadata<TMetadata> {
  /** As of now, parsed by the plugin's `metadataSchema`; absent when there is none. Read it when it is needed. */
  readonly current: TMetadata | undefined;
}

/** State by name that outlives reloads and is shared by all configurations of a plugin that name it alike. */
export interface SharedState {
  /**
   * The state of that name, made by `create` when nobody holds it yet; `dispose` ends it when the last holder released
   * it, or when the data plane stops, which waits some seconds for a promise. Release it in the instance's `dispose`.
   */
  acquire<TState>(name: string, create: () => TState, dispose?: (state: TState) => unknown): Usage<TState>;
}

/** What a metric is declared with. */
export interface MetricOptions<TLabel extends string> {
  readonly help: string;
  readonly labels?: readonly TLabel[];
}

/** Values of a metric's labels. */
export type LabelValues<TLabel extends string> = Readonly<Record<TLabel, string>>;

/** A number that only grows. */
export interface CounterMetric<TLabel extends string> {
  inc(labels: LabelValues<TLabel>, by?: number): void;
}

/** A number that goes up and down. */
export interface GaugeMetric<TLabel extends string> {
  set(labels: LabelValues<TLabel>, value: number): void;
  remove(labels: LabelValues<TLabel>): void;
}

/** A distribution. */
export interface HistogramMetric<TLabel extends string> {
  observe(labels: LabelValues<TLabel>, value: number): void;
}

/** Port for a plugin's own metrics; declaring the same name again gives the same metric. */
export interface PluginMetrics {
  /** @param name whole Prometheus name, ending in `_total`; `apisix_` becomes the configured prefix */
  counter<TLabel extends string>(name: string, options: MetricOptions<TLabel>): CounterMetric<TLabel>;
  gauge<TLabel extends string>(name: string, options: MetricOptions<TLabel>): GaugeMetric<TLabel>;
  histogram<TLabel extends string>(
    name: string,
    options: MetricOptions<TLabel> & { readonly buckets: readonly number[] },
  ): HistogramMetric<TLabel>;
}

/** A plugin that another one runs. */
export interface NestedPlugin {
  readonly name: string;
  readonly isAuth: boolean;
  /** The one who set it up disposes it. */
  readonly instance: PluginInstance;
}

/** Port to other plugins. */
export interface PluginDirectory {
  /**
   * Sets up a plugin of the catalog with a configuration as stored. `owner` becomes its {@link PluginDeps.owner}.
   * @throws GatewayError `PLUGIN_INVALID` when there is no such plugin or it refuses the configuration
   */
  setUp(name: string, config: unknown, owner: string): NestedPlugin;
  /** The endpoint that some plugin publishes under that method and path. */
  findApi(method: string, path: string): PluginApi | undefined;
}

/** A request that a plugin sends through the gateway itself. */
export interface SubRequest {
  readonly method: string;
  /** Origin form, query included. */
  readonly target: string;
  /** Flat `[name, value, ...]`; without `Host` that of the client's request is sent. */
  readonly headers: readonly string[];
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** Longest wait for the whole answer, milliseconds. */
  readonly timeoutMs: number;
}

/** The whole answer to a {@link SubRequest}. */
export interface SubAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

/** Port that sends requests through the whole gateway without a socket: routing, plugins, upstream. */
export interface GatewayDispatch {
  /**
   * @param context of the request on whose behalf it is sent; the address of its client is that of the sub-request
   * @throws GatewayError `HTTP_CALL_FAILED` when no whole answer came in time
   */
  dispatch(context: RequestContext, request: SubRequest): Promise<SubAnswer>;
}

/** What came of a check: the value with defaults filled in, or what is wrong with it, in APISIX's words. */
export type CheckedValue<TValue> =
  | { readonly ok: true; readonly value: TValue }
  | { readonly ok: false; readonly message: string };

/** Port that checks what clients send as the Admin API checks objects. */
export interface ValueChecker {
  check<TValue>(schema: z.ZodType<TValue>, value: unknown): CheckedValue<TValue>;
}

/** The data plane itself, for plugins that report about it. */
export interface ServerPort {
  /** Of this installation; the same after a restart where there is a place to keep it. */
  readonly id: string | number;
  readonly hostname: string;
  readonly version: string;
  /** Wall-clock milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** How often it was asked to open log files again, after somebody moved them: whoever has one open goes by it. */
  readonly logReopenings: number;
  /** Version of the store's server; absent when there is none, or it cannot be asked. */
  storeVersion(): Promise<string | undefined>;
  /** Clients of this process as of now. */
  traffic(): Promise<ServerTraffic>;
  /** Everything that is measured, of all processes of this gateway together. */
  metrics(): Promise<MetricsText>;
}

/** Metrics in Prometheus' text format. */
export interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}

/** Clients of a process and their requests. */
export interface ServerTraffic {
  /** Connections that are open now, and those of them that a request is under way on. */
  readonly openConnections: number;
  readonly busyConnections: number;
  /** Since the start. */
  readonly acceptedConnections: number;
  readonly requests: number;
}

/** Narrow ports handed to `setup`; a plugin imports no global and reads no environment. */
export interface PluginDeps<TConsumerConfig = unknown, TMetadata = unknown> {
  readonly logger: Logger;
  /** Where the configuration stands, e.g. `route/1`; what is counted or cached for it can be kept under this name. */
  readonly owner: string;
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** Connection pools shared across reloads; release in `dispose` what `setup` acquired. */
  readonly connections: Connections;
  /**
   * Certificates (PEM) that servers are verified with: Node's, the system's and the configured ones. For plugins that
   * open connections of their own; reading them takes a while, so ask when the first is opened.
   */
  readonly trustedCertificates: () => readonly string[];
  /** Small calls of a plugin's own: authorisers, key sets, log collectors. */
  readonly http: HttpClient;
  readonly metadata: PluginMetadata<TMetadata>;
  readonly consumers: ConsumerDirectory<TConsumerConfig>;
  readonly shared: SharedState;
  readonly metrics: PluginMetrics;
  readonly upstreams: UpstreamCompiler;
  readonly plugins: PluginDirectory;
  readonly gateway: GatewayDispatch;
  readonly server: ServerPort;
  readonly values: ValueChecker;
  /**
   * Whether the path, query and `Host` that {@link UpstreamRequest} was given also count for functions; false: those
   * are called as if nothing had been changed, as in APISIX. Method and fields of the request always count.
   */
  readonly areFunctionTargetsRewritten: boolean;
  /** The plugin's section of `plugin_attr` in `config.yaml`; empty when there is none. */
  readonly attributes: Readonly<Record<string, unknown>>;
}
