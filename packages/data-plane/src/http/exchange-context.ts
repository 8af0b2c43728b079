import { HeaderList } from "@fngate/kernel";
import type { GatewayRequest, LogContext, MatchedRoute, ResponseSource } from "@fngate/plugin-kit";
import type { ClientExchange } from "./client-exchange.ts";
import { ClientBody } from "./request-body.ts";
import type { ParsedTarget } from "./request-target.ts";

/** The client's request as plugins see it; every field is set here, so that all requests have one shape. */
export class ClientRequest implements GatewayRequest {
  method: string;
  readonly scheme: "http" | "https";
  readonly httpVersion: string;
  readonly host: string;
  readonly path: string;
  readonly rawTarget: string;
  query: string;
  readonly headers: HeaderList;
  readonly remoteAddress: string;
  readonly localPort: number;
  readonly body: ClientBody;
  /** Host header as it came; empty when there was none. */
  readonly rawHost: string;
  /** Target in origin form, without fragment. */
  readonly originTarget: string;
  /** Query as sent, to notice a plugin that changed it. */
  readonly sentQuery: string;

  constructor(client: ClientExchange, target: ParsedTarget, seen: SeenRequest) {
    this.method = client.method;
    this.scheme = client.scheme;
    this.httpVersion = client.httpVersion;
    this.host = seen.host;
    this.path = target.path;
    this.rawTarget = client.target;
    this.query = target.query;
    this.headers = seen.headers;
    this.remoteAddress = seen.remoteAddress;
    this.localPort = client.localPort;
    this.body = new ClientBody(client);
    this.rawHost = seen.rawHost;
    this.originTarget = target.origin;
    this.sentQuery = target.query;
  }
}

/** What the gateway found out about a request beside its target. */
export interface SeenRequest {
  readonly host: string;
  readonly rawHost: string;
  readonly headers: HeaderList;
  readonly remoteAddress: string;
}

/** The answer as response phases see it. */
export class GatewayResponse {
  status: number;
  headers: HeaderList;
  source: ResponseSource;

  constructor() {
    this.status = 0;
    this.headers = NO_HEADERS;
    this.source = "gateway";
  }
}

/** The one object that a request passes through all phases. */
export class ExchangeContext implements LogContext {
  readonly request: ClientRequest;
  readonly route: MatchedRoute | undefined;
  readonly response: GatewayResponse;
  readonly timings: { startedAtMs: number; totalMs: number; upstreamMs: number | undefined };
  bytesReceived: number;
  bytesSent: number;
  /** Method as the client sent it. */
  readonly clientMethod: string;
  /** Monotonic start, for durations. */
  readonly startedMonotonicMs: number;
  /** Node that answered or was tried last, `address:port`; empty for functions and own answers. */
  upstreamAddress: string;
  /** Status of each attempt, for logs and `X-APISIX-Upstream-Status`. */
  upstreamStatus: string;
  /** Scheme and host of the upstream request, for the access log. */
  upstreamScheme: string;
  upstreamHost: string;
  #abort: AbortController | undefined;
  #isAborted: boolean;

  constructor(request: ClientRequest, route: MatchedRoute | undefined, started: { atMs: number; monotonicMs: number }) {
    this.request = request;
    this.route = route;
    this.response = new GatewayResponse();
    this.timings = { startedAtMs: started.atMs, totalMs: 0, upstreamMs: undefined };
    this.bytesReceived = 0;
    this.bytesSent = 0;
    this.clientMethod = request.method;
    this.startedMonotonicMs = started.monotonicMs;
    this.upstreamAddress = "";
    this.upstreamStatus = "";
    this.upstreamScheme = "http";
    this.upstreamHost = request.rawHost;
    this.#abort = undefined;
    this.#isAborted = false;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#isAborted) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** Fires the signal: the client went away, or the gateway gives up. */
  abort(): void {
    this.#isAborted = true;
    this.#abort?.abort();
  }
}

const NO_HEADERS = new HeaderList();
