import { HeaderList } from "@fngate/kernel";
import type { GatewayRequest, MatchedRoute, RequestBody, RequestContext } from "../context.ts";

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
}

/** Builds the request context that a plugin's request phases get. */
export function fakeRequestContext(options: FakeRequestOptions = {}): RequestContext {
  return {
    request: requestOf(options),
    route: options.isUnmatched === true ? undefined : routeOf(options.route),
    signal: options.signal ?? new AbortController().signal,
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
  const bytes = typeof options.body === "string" ? Buffer.from(options.body) : (options.body ?? new Uint8Array());
  return {
    isPresent: bytes.length > 0,
    declaredBytes: bytes.length > 0 && options.isBodyChunked !== true ? bytes.length : undefined,
    read: (maxBytes) => Promise.resolve(bytes.length > maxBytes ? "too-large" : bytes),
  };
}

function routeOf(route: Partial<MatchedRoute> = {}): MatchedRoute {
  return {
    id: "1",
    name: undefined,
    serviceId: undefined,
    uri: "/*",
    host: "",
    remainder: undefined,
    params: undefined,
    ...route,
  };
}
