import type { IncomingHttpHeaders } from "node:http";
import type { PluginDefinition } from "../plugin.ts";
import type { RecordedLine } from "./recording-logger.ts";

/** Objects as the Admin API takes them, by id. */
export type ObjectsById = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Fields of a request by name. */
export type SentHeaders = Readonly<Record<string, string | string[]>>;

/** What a request is made of. */
export interface SentRequest {
  readonly method?: string;
  /** A list sends a field of that name for each of its values. */
  readonly headers?: SentHeaders;
  readonly body?: string;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** A request as it reached the test upstream. */
export interface ReceivedRequest {
  readonly method: string;
  /** Request target, not decoded. */
  readonly url: string;
  /** By lower-case name. */
  readonly headers: IncomingHttpHeaders;
  /** Flat name, value list in wire order and spelling. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** What the test upstream answers; everything has a default. */
export interface UpstreamReply {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Text or bytes as they are, anything else as JSON; default: the request as JSON. */
  readonly body?: unknown;
}

/** A fixed reply or one made per request. */
export type UpstreamResponder = UpstreamReply | ((request: ReceivedRequest) => UpstreamReply | Promise<UpstreamReply>);

/** What a gateway begins with; everything may be left out. */
export interface TestGatewaySetup {
  /** The plugins that the gateway knows. */
  readonly plugins?: readonly PluginDefinition[];
  /** A route without upstream and service gets the gateway's own test upstream. */
  readonly routes?: ObjectsById;
  readonly services?: ObjectsById;
  readonly upstreams?: ObjectsById;
  /** By name; the member `credentials` of a consumer holds its credentials by id. */
  readonly consumers?: ObjectsById;
  readonly consumerGroups?: ObjectsById;
  readonly pluginConfigs?: ObjectsById;
  readonly globalRules?: ObjectsById;
  /** By plugin name. */
  readonly pluginMetadata?: ObjectsById;
  /** What the test upstream answers; default: the request as JSON. */
  readonly upstream?: UpstreamResponder;
  /** True when the test is about a configuration that the gateway finds fault with; else such a start fails. */
  readonly hasFindings?: boolean;
}

/** A whole gateway over real sockets, and an upstream that remembers what reached it; disposing ends both. */
export interface TestGateway extends AsyncDisposable {
  readonly upstream: {
    readonly port: number;
    readonly requests: readonly ReceivedRequest[];
    /** Resolves to request number `count` (from 1) once it has arrived whole. */
    request(count?: number): Promise<ReceivedRequest>;
  };
  /** What was logged. */
  readonly lines: readonly RecordedLine[];
  /** Port that the gateway listens on. */
  portOf(): number;
  /** Sends a request with its target exactly as given. */
  send(target: string, request?: SentRequest): Promise<Answer>;
  /** Sends a GET. */
  get(target: string, headers?: SentHeaders): Promise<Answer>;
  /** Stores an object (`routes/1`, `consumers/jack/credentials/c1`) and waits until it is in force. */
  put(path: string, value: Readonly<Record<string, unknown>>): Promise<void>;
  /** Deletes an object and waits until it is gone. */
  remove(path: string): Promise<void>;
}

/** Starts a {@link TestGateway}; rejects when the gateway finds fault with an object. */
export type RunGateway = (setup?: TestGatewaySetup) => Promise<TestGateway>;
