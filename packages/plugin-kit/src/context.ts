import type { Endpoint, HeaderList } from "@fngate/kernel";
import type { Consumer } from "./consumer.ts";
import type { UpstreamRequest } from "./upstream-request.ts";

/** The client's request. Plugins change it in the rewrite and access phases; what they change is what is forwarded. */
export interface GatewayRequest {
  /** Upper case. */
  method: string;
  readonly scheme: "http" | "https";
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string;
  /** Lower-case host without port; `_` when the request named none. */
  readonly host: string;
  /** Decoded, normalised path as a byte string: one character per byte (latin1). */
  readonly path: string;
  /** Request target as the client sent it, query included. */
  readonly rawTarget: string;
  /** Query without its `?`, as sent; empty when there is none. */
  query: string;
  readonly headers: HeaderList;
  /** Address of the client; a plugin that knows better (`real-ip`) replaces it for everything after. */
  remoteAddress: string;
  /** Port of the listener that took the request. */
  readonly localPort: number;
  readonly body: RequestBody;
}

/** The client's request body, not read until somebody asks. */
export interface RequestBody {
  /** False when the request has no body or an empty one was declared. */
  readonly isPresent: boolean;
  /** `Content-Length` in bytes; absent for chunked and HTTP/2 bodies without one. */
  readonly declaredBytes: number | undefined;
  /**
   * Reads the whole body, once; later calls return the same bytes.
   * Resolves to `"too-large"` as soon as more than `maxBytes` have arrived or were declared.
   */
  read(maxBytes: number): Promise<Uint8Array | "too-large">;
  /**
   * Reads the body ahead for whoever decides by it, so that the variables about it (`post_arg_x`, `graphql_name`) have
   * values. One of more than `maxBytes` is left as it was. Rejects when the client is gone.
   */
  peek(maxBytes: number): Promise<void>;
  /**
   * Puts other bytes in place of a body that was read whole: what is forwarded, and what later calls of `read` return.
   * The length that is sent with them follows; fields that describe them are the caller's to change.
   */
  replace(bytes: Uint8Array): void;
}

/** The route a request matched. */
export interface MatchedRoute {
  readonly id: string;
  readonly name: string | undefined;
  readonly serviceId: string | undefined;
  readonly serviceName: string | undefined;
  /** URI pattern that matched. */
  readonly uri: string;
  /** Host pattern that matched, or empty. */
  readonly host: string;
  /** Path that a whole-segment `*` covered (byte string, without leading slash for `/*`); absent when none. */
  readonly remainder: string | undefined;
  readonly params: Readonly<Record<string, string>> | undefined;
}

/**
 * nginx's and APISIX's variables of a request (`arg_x`, `http_x`, `cookie_x`, `uri`, `consumer_name`, `status`, ...),
 * the same ones that conditions of routes, `_meta.filter` and the access log read. Nothing is computed before it is
 * asked for. Names: APISIX routing, variables.
 */
export interface Variables {
  /** Most are text; an argument without `=` is `true`, a few are numbers or lists; `undefined`: absent. */
  get(name: string): unknown;
  /** Sets a variable for later phases, other plugins and logs; it hides a built-in one of that name. */
  set(name: string, value: unknown): void;
}

/** Which body {@link RequestContext.capture} keeps. */
export type CapturedBody = "request" | "response";

/** What request phases see. One object per request, the same in every phase. */
export interface RequestContext {
  readonly request: GatewayRequest;
  /** Absent for requests that matched no route (global rules). */
  readonly route: MatchedRoute | undefined;
  /** Fires when the client goes away or the gateway gives the request up; made on first use. */
  readonly signal: AbortSignal;
  readonly variables: Variables;
  /** Who calls; absent until an authentication plugin attached somebody. */
  readonly consumer: Consumer | undefined;
  /** What differs between the client's request and the one that goes to the upstream or function. */
  readonly upstream: UpstreamRequest;
  /**
   * Makes a consumer the caller: sets `X-Consumer-Username`, `X-Credential-Identifier` and `X-Consumer-Custom-ID` for
   * whoever is called, and lays the plugins of the consumer and its group over the route's for the phases after
   * `rewrite`. The last one attached counts (APISIX plugins, authentication flow).
   */
  attachConsumer(consumer: Consumer): void;
  /**
   * Keeps the first `maxBytes` bytes of a body for the log phase ({@link LogContext.captured}), while it passes; the
   * largest bound that anybody asks for counts. Before the body passes, so in a request phase or a header filter.
   */
  capture(body: CapturedBody, maxBytes: number): void;
  /** Keeps a plugin from running in the request phases that are still to come, for one that does its work. */
  skip(plugin: string): void;
  /** Plugins that {@link RequestContext.skip} named; absent: none. */
  readonly skipped: ReadonlySet<string> | undefined;
}

/** Where an answer was made. */
export type ResponseSource = "gateway" | "upstream" | "function";

/** What response phases see. */
export interface ResponseContext extends RequestContext {
  readonly response: {
    status: number;
    readonly headers: HeaderList;
    readonly source: ResponseSource;
  };
}

/** One try to reach a node of an upstream, or a function. */
export interface CallAttempt {
  /** `host:port`. */
  readonly address: string;
  /** Status of the answer, else the one that the failure stands for. */
  readonly status: number;
  /** From the beginning of the attempt to its end, milliseconds. */
  readonly ms: number;
}

/** Values of the labels that tell whose request it was; empty where there is nobody. */
export interface SeriesNames {
  readonly route: string;
  readonly service: string;
  readonly consumer: string;
}

/** Bytes of a request and of its answer as they went over the connection, heads included. */
export interface RequestTraffic {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** What the log phase sees, after the last byte went out or the client left. */
export interface LogContext extends ResponseContext {
  readonly timings: {
    /** Wall-clock milliseconds since the epoch when the request head arrived. */
    readonly startedAtMs: number;
    /** From request head to last byte, milliseconds. */
    readonly totalMs: number;
    /** Time spent waiting for upstream or function; absent when neither was called. */
    readonly upstreamMs: number | undefined;
  };
  /** What went over the client's connection. */
  readonly traffic: RequestTraffic;
  /** Bytes of the answer's body that were sent. */
  readonly bytesSent: number;
  /** Calls of upstream nodes in order; empty for functions and own answers. */
  readonly attempts: readonly CallAttempt[];
  /** What {@link RequestContext.capture} kept: at most as many bytes as were asked for; absent when nobody asked. */
  captured(body: CapturedBody): Uint8Array | undefined;
  /**
   * Counts the request under these names in the gateway's request metrics, in place of the ids of its route and its
   * service and without a consumer; the last call counts.
   */
  countAs(names: SeriesNames): void;
}

/** An answer of the gateway's own. */
export interface Reply {
  readonly kind: "reply";
  readonly status: number;
  /** Flat `[name, value, …]`. */
  readonly headers?: readonly string[];
  /** A string goes out as it is; an object as compact JSON and a line feed. Absent with a status >= 400: the gateway's error body. */
  readonly body?: string | Uint8Array | Readonly<Record<string, unknown>>;
}

/**
 * A call that replaces the upstream: the gateway streams the request there and the answer back, and the request is
 * over. What every serverless plugin returns.
 */
export interface FunctionCall {
  readonly kind: "call";
  readonly endpoint: Endpoint;
  readonly method: string;
  /** Path and query in origin form, ready for the wire. */
  readonly target: string;
  /** Fields to send, `Host` included; the gateway adds the framing (`Content-Length`). */
  readonly headers: HeaderList;
  /** Largest request body in bytes; a body without declared length is buffered up to it. */
  readonly maxBodyBytes: number;
  /** Status when the body is larger. */
  readonly bodyTooLargeStatus: number;
  /** Status when the call fails before an answer's head arrived. */
  readonly failureStatus: number;
  /** How the client's answer comes out of the function's; absent: the function's is the client's, as it streams in. */
  readonly reading?: AnswerReading;
}

/** For functions that say in their body what the client is to get: the answer is read whole, and another one made. */
export interface AnswerReading {
  /** Largest body taken, bytes; a larger one ends the call with {@link FunctionCall.failureStatus}. */
  readonly maxBytes: number;
  /** The client's answer; nothing when the function's cannot be read, which is a failure of the call. */
  read(status: number, body: Uint8Array): Reply | undefined;
}

/** What a request phase returns: nothing to go on, or what ends the request. */
// biome-ignore lint/suspicious/noConfusingVoidType: a phase that returns nothing must compile
export type PhaseResult = Reply | FunctionCall | undefined | void;
