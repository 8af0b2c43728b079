import { HeaderList } from "@fngate/kernel";
import type { Consumer } from "../consumer.ts";
import type {
  CapturedBody,
  GatewayRequest,
  LogContext,
  MatchedRoute,
  RequestBody,
  RequestContext,
  ResponseContext,
  Variables,
} from "../context.ts";
import type { PluginUpstream, UpstreamRequest } from "../upstream-request.ts";

/** What a test wants to be different from a plain `GET /` without a body. */
export interface FakeRequestOptions {
  readonly method?: string;
  readonly scheme?: "http" | "https";
  readonly host?: string;
  /** Decoded path; default `/`. */
  readonly path?: string;
  /** Without `?`. */
  readonly query?: string;
  /** Flat `[name, value, …]`. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
  /** The body came chunked; default false. */
  readonly isBodyChunked?: boolean;
  readonly route?: Partial<MatchedRoute>;
  /** The request matched no route, as global rules see it; default false. */
  readonly isUnmatched?: boolean;
  readonly signal?: AbortSignal;
  /** Variables that the request has; a fake computes none. */
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly consumer?: Partial<Consumer>;
  /** Ids of upstreams that {@link UpstreamRequest.use} finds. */
  readonly upstreamIds?: readonly string[];
}

/** A request context that shows what plugins did to it. */
export interface FakeRequestContext extends RequestContext {
  readonly upstream: UpstreamRequest & { readonly used: string | PluginUpstream | undefined };
}

/** Builds the request context that a plugin's request phases get. */
export function fakeRequestContext(options: FakeRequestOptions = {}): FakeRequestContext {
  let consumer = options.consumer && consumerOf(options.consumer);
  let skipped: ReadonlySet<string> | undefined;
  return {
    request: requestOf(options),
    route: options.isUnmatched === true ? undefined : routeOf(options.route),
    signal: options.signal ?? new AbortController().signal,
    variables: variablesOf(options.variables),
    get consumer() {
      return consumer;
    },
    upstream: upstreamOf(options.upstreamIds),
    attachConsumer: (attached) => {
      consumer = attached;
    },
    capture: () => undefined,
    skip: (plugin) => {
      skipped = new Set([...(skipped ?? []), plugin]);
    },
    get skipped() {
      return skipped;
    },
  };
}

/** What a test wants to be different from an empty answer 200 of an upstream. */
export interface FakeResponseOptions extends FakeRequestOptions {
  readonly status?: number;
  /** Flat `[name, value, …]`. */
  readonly responseHeaders?: readonly string[];
  readonly source?: ResponseContext["response"]["source"];
  readonly captured?: { readonly request?: string; readonly response?: string };
}

/** Builds the context that a plugin's response phases and its log phase get. */
export function fakeLogContext(options: FakeResponseOptions = {}): LogContext {
  const { status = 200, responseHeaders = [], source = "upstream", captured = {} } = options;
  // Assigned, not spread: who was attached meanwhile and what is skipped are asked of the request.
  return Object.assign(fakeRequestContext(options), {
    response: { status, headers: new HeaderList(responseHeaders), source },
    timings: { startedAtMs: 0, totalMs: 1, upstreamMs: undefined },
    traffic: { receivedBytes: 0, sentBytes: 0 },
    bytesSent: 0,
    attempts: [],
    captured: (body: CapturedBody) => {
      const text = captured[body];
      return text === undefined ? undefined : Buffer.from(text);
    },
    countAs: () => undefined,
  });
}

function consumerOf(consumer: Partial<Consumer>): Consumer {
  return { name: "jack", groupId: undefined, labels: {}, credentialId: undefined, ...consumer };
}

function variablesOf(initial: Readonly<Record<string, unknown>> = {}): Variables {
  const values = new Map(Object.entries(initial));
  return { get: (name) => values.get(name), set: (name, value) => void values.set(name, value) };
}

function upstreamOf(ids: readonly string[] = []): FakeRequestContext["upstream"] {
  let used: string | PluginUpstream | undefined;
  return {
    path: undefined,
    query: undefined,
    host: undefined,
    isDisabled: false,
    isBodyStreamed: false,
    get used() {
      return used;
    },
    use: (upstream) => {
      if (typeof upstream === "string" && !ids.includes(upstream)) return false;
      used = upstream;
      return true;
    },
  };
}

function requestOf(options: FakeRequestOptions): GatewayRequest {
  const { method = "GET", scheme = "http", host = "gateway.test", path = "/", query = "" } = options;
  return {
    method,
    scheme,
    httpVersion: "1.1",
    host,
    path,
    rawTarget: query === "" ? path : `${path}?${query}`,
    query,
    headers: new HeaderList(options.headers ?? []),
    remoteAddress: "127.0.0.1",
    localPort: 9080,
    body: bodyOf(options),
  };
}

function bodyOf(options: FakeRequestOptions): RequestBody {
  let bytes = typeof options.body === "string" ? Buffer.from(options.body) : (options.body ?? new Uint8Array());
  return {
    isPresent: bytes.length > 0,
    declaredBytes: bytes.length > 0 && options.isBodyChunked !== true ? bytes.length : undefined,
    read: (maxBytes) => Promise.resolve(bytes.length > maxBytes ? "too-large" : bytes),
    peek: () => Promise.resolve(),
    replace: (replacement) => {
      bytes = replacement;
    },
  };
}

function routeOf(route: Partial<MatchedRoute> = {}): MatchedRoute {
  return {
    id: "1",
    name: undefined,
    serviceId: undefined,
    serviceName: undefined,
    uri: "/*",
    host: "",
    remainder: undefined,
    params: undefined,
    ...route,
  };
}
