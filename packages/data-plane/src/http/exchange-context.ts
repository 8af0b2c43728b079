import { HeaderList } from "@fngate/kernel";
import type {
  CallAttempt,
  CapturedBody,
  Consumer,
  GatewayRequest,
  LogContext,
  MatchedRoute,
  RequestTraffic,
  ResponseSource,
  SeriesNames,
} from "@fngate/plugin-kit";
import type { UpstreamAttempt, UpstreamNode } from "@fngate/proxy";
import type { Held } from "../compile/held.ts";
import type { Snapshot } from "../compile/snapshot.ts";
import { BodyCapture } from "./body-capture.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { ClientExchange } from "./client-exchange.ts";
import { markConsumer } from "./consumer-headers.ts";
import type { ExchangeTrace } from "./exchange-trace.ts";
import { ExchangeVariables } from "./exchange-variables.ts";
import { ClientBody } from "./request-body.ts";
import type { ParsedTarget } from "./request-target.ts";
import type { RequestVariables } from "./request-variables.ts";
import { UpstreamOverrides } from "./upstream-overrides.ts";

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
  remoteAddress: string;
  readonly localPort: number;
  readonly connection: ClientConnection | undefined;
  readonly isPipelined: boolean | undefined;
  readonly body: ClientBody;
  /** Host header as it came; empty when there was none. */
  readonly rawHost: string;
  /** Target in origin form, without fragment. */
  readonly originTarget: string;
  /** Query as sent, to notice a plugin that changed it. */
  readonly sentQuery: string;
  /** How many requests it is inside of; 0 for a client's. */
  readonly depth: number;

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
    this.connection = client.connection;
    this.isPipelined = client.isPipelined;
    this.body = new ClientBody(client);
    this.rawHost = seen.rawHost;
    this.originTarget = target.origin;
    this.sentQuery = target.query;
    this.depth = client.depth ?? 0;
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

/** When and under which configuration a request began. */
export interface RequestStart {
  readonly atMs: number;
  readonly monotonicMs: number;
  readonly snapshot: Snapshot;
  /** Those of the client's head and body. */
  readonly variables: RequestVariables;
}

/**
 * The one object that a request passes through all phases. What only plugins use is made when one asks, so that a
 * request without plugins does not pay for it.
 */
export class ExchangeContext implements LogContext {
  readonly request: ClientRequest;
  readonly route: MatchedRoute | undefined;
  readonly response: GatewayResponse;
  readonly timings: { startedAtMs: number; totalMs: number; upstreamMs: number | undefined };
  traffic: RequestTraffic;
  bytesSent: number;
  /** Method as the client sent it. */
  readonly clientMethod: string;
  /** Monotonic start, for durations. */
  readonly startedMonotonicMs: number;
  /** Node that answered or was tried last, `address:port`, IPv6 in brackets; empty for functions and own answers. */
  upstreamAddress: string;
  /** Status of each attempt, for logs and `X-APISIX-Upstream-Status`. */
  upstreamStatus: string;
  /** Scheme and host of the upstream request, for the access log. */
  upstreamScheme: string;
  upstreamHost: string;
  /** Why no complete answer came from the upstream or function, for logs; absent: one came, or none was asked for. */
  failureReason: string | undefined;
  /** The configuration that the request began with. */
  readonly snapshot: Snapshot;
  consumer: Consumer | undefined;
  /** What plugins changed about the request to the upstream; absent: nothing. */
  overrides: UpstreamOverrides | undefined;
  /** Bodies that plugins want to see in the log phase. */
  captures: BodyCapture | undefined;
  /** Set by whoever calls the upstream; grows while it does. */
  upstreamAttempts: readonly UpstreamAttempt[];
  /** Knows the node that is tried or was tried last; absent: no upstream is called. */
  upstreamCall: { readonly node: UpstreamNode | undefined } | undefined;
  /** Monotonic beginning of the first attempt. */
  upstreamStartedMs: number;
  /** Monotonic beginnings of the attempts after the first. */
  retryStarts: number[] | undefined;
  /** Absent: nobody is to ask for what it measures. */
  trace: ExchangeTrace | undefined;
  /** The answer was handed over whole. */
  isComplete: boolean;
  /** Held for this request beside what its plan holds. */
  held: Held[] | undefined;
  /** Plugins whose work another one does. */
  skipped: Set<string> | undefined;
  /** What a plugin wants the request to be counted under; absent: it is not counted. */
  seriesNames: SeriesNames | undefined;
  readonly #requestVariables: RequestVariables;
  #variables: ExchangeVariables | undefined;
  #abort: AbortController | undefined;
  #isAborted: boolean;

  constructor(request: ClientRequest, route: MatchedRoute | undefined, started: RequestStart) {
    this.request = request;
    this.route = route;
    this.response = new GatewayResponse();
    this.timings = { startedAtMs: started.atMs, totalMs: 0, upstreamMs: undefined };
    this.traffic = NO_TRAFFIC;
    this.bytesSent = 0;
    this.clientMethod = request.method;
    this.startedMonotonicMs = started.monotonicMs;
    this.upstreamAddress = "";
    this.upstreamStatus = "";
    this.upstreamScheme = "http";
    this.upstreamHost = request.rawHost;
    this.failureReason = undefined;
    this.snapshot = started.snapshot;
    this.consumer = undefined;
    this.overrides = undefined;
    this.captures = undefined;
    this.upstreamCall = undefined;
    this.upstreamAttempts = NO_ATTEMPTS;
    this.upstreamStartedMs = 0;
    this.retryStarts = undefined;
    this.trace = undefined;
    this.isComplete = false;
    this.held = undefined;
    this.skipped = undefined;
    this.seriesNames = undefined;
    this.#requestVariables = started.variables;
    this.#variables = undefined;
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

  /** Reads what variables were asked for and could not tell without the body; nothing when there is nothing to read. */
  readWantedBody(): Promise<void> | undefined {
    const maxBytes = this.#requestVariables.wantedBodyBytes;
    // A client that leaves meanwhile ends the request by itself.
    return maxBytes === 0 ? undefined : this.request.body.peek(maxBytes).catch(() => undefined);
  }

  /** Those of the client's head and body, without what plugins set. */
  get requestVariables(): RequestVariables {
    return this.#requestVariables;
  }

  get variables(): ExchangeVariables {
    this.#variables ??= new ExchangeVariables(this, this.#requestVariables);
    return this.#variables;
  }

  get upstream(): UpstreamOverrides {
    this.overrides ??= new UpstreamOverrides(this);
    return this.overrides;
  }

  get attempts(): readonly CallAttempt[] {
    const { retryStarts = [], upstreamAttempts, upstreamStatus } = this;
    const firstMs = this.upstreamStartedMs;
    const starts = [firstMs, ...retryStarts];
    const endMs = firstMs + (this.timings.upstreamMs ?? 0);
    const attempts = upstreamAttempts.map(({ node, status }) => ({ address: node.address, status }));
    // The log may come before whoever made the last attempt has put it on its list.
    if (attempts.length < starts.length && upstreamStatus !== "") {
      attempts.push({ address: this.upstreamAddress, status: Number(upstreamStatus.split(", ").at(-1)) });
    }
    return attempts.map((attempt, index) => {
      const startMs = starts[index] ?? endMs;
      return { ...attempt, ms: (starts[index + 1] ?? endMs) - startMs };
    });
  }

  attachConsumer(consumer: Consumer): void {
    this.consumer = consumer;
    markConsumer(this.request.headers, consumer);
  }

  capture(body: CapturedBody, maxBytes: number): void {
    this.captures ??= new BodyCapture();
    this.captures.want(body, maxBytes);
    if (body === "request") this.request.body.tapInto(this.captures);
  }

  skip(plugin: string): void {
    this.skipped ??= new Set();
    this.skipped.add(plugin);
  }

  countAs(names: SeriesNames): void {
    this.seriesNames = names;
  }

  captured(body: CapturedBody): Uint8Array | undefined {
    return this.captures?.bytesOf(body);
  }

  /** Keeps something alive until {@link ExchangeContext.letGo}. */
  hold(held: Held): void {
    held.acquire();
    this.held ??= [];
    this.held.push(held);
  }

  letGo(): void {
    for (const held of this.held ?? []) held.release();
    this.held = undefined;
  }

  /** Fires the signal: the client went away, or the gateway gives up. */
  abort(): void {
    this.#isAborted = true;
    this.#abort?.abort();
  }
}

const NO_HEADERS = new HeaderList();

const NO_TRAFFIC: RequestTraffic = { receivedBytes: 0, sentBytes: 0 };

const NO_ATTEMPTS: readonly UpstreamAttempt[] = [];
