import type { Clock } from "@fngate/kernel";
import type { LogContext } from "@fngate/plugin-kit";
import { responseSourceOf } from "../shared/response-source.ts";
import type { B3, SpanPlace } from "./b3.ts";
import type { ZipkinConfig } from "./schema.ts";
import { closeSpan, endpointOf, type OpenSpan, openSpan, steadyTime, type ZipkinSpan } from "./span.ts";

/** What a request is traced with. */
export interface RequestTraceOptions {
  readonly config: ZipkinConfig;
  readonly caller: B3;
  readonly clock: Clock;
  readonly isSampled: boolean;
}

/** A span that is over. */
interface EndedSpan {
  readonly span: OpenSpan;
  readonly endedAtMs: number;
}

/**
 * The spans of one request (APISIX: zipkin). Version 2: the call and the answer below the request. Version 1: what
 * ran before, rewriting and access, the call, and below that the answer. One that is not sampled has ids only.
 */
export class RequestTrace {
  readonly request: OpenSpan;
  readonly isSampled: boolean;
  readonly #config: ZipkinConfig;
  readonly #now: () => number;
  readonly #ended: EndedSpan[] = [];
  #call: OpenSpan | undefined = undefined;
  #answer: OpenSpan | undefined = undefined;

  constructor({ caller, clock, config, isSampled }: RequestTraceOptions) {
    this.#config = config;
    this.#now = steadyTime(clock);
    this.isSampled = isSampled;
    const startedAtMs = this.#now();
    this.request = openSpan("apisix.request", { traceId: caller.traceId, id: caller.spanId }, startedAtMs);
    if (!isSampled) return;
    if (config.span_version === 1) this.#end(openSpan("apisix.rewrite", this.request, startedAtMs));
    else this.#call = openSpan("apisix.proxy", this.request, startedAtMs);
  }

  /** Tells below which span whoever is called next belongs. */
  beginCall(): SpanPlace {
    if (this.isSampled && this.#config.span_version === 1) {
      const rewrittenAtMs = this.#ended[0]?.endedAtMs ?? this.#now();
      const accessedAtMs = this.#end(openSpan("apisix.access", this.request, rewrittenAtMs));
      this.#call = openSpan("apisix.proxy", this.request, accessedAtMs);
    }
    return this.#call ?? this.request;
  }

  /** The head of the answer is there. */
  beginAnswer(): void {
    if (this.#call === undefined) return;
    const nowMs = this.#now();
    if (this.#config.span_version === 1) {
      this.#answer = openSpan("apisix.body_filter", this.#call, nowMs);
      return;
    }
    this.#end(this.#call, nowMs);
    this.#call = undefined;
    this.#answer = openSpan("apisix.response_span", this.request, nowMs);
  }

  /** The request is over: its spans, in the order of their ends. */
  finish(context: LogContext): readonly ZipkinSpan[] {
    if (!this.isSampled) return [];
    const nowMs = this.#now();
    if (this.#answer !== undefined) this.#end(this.#answer, nowMs);
    if (this.#call !== undefined) this.#end(this.#call, nowMs);
    const { remoteAddress } = context.request;
    const localEndpoint = {
      serviceName: this.#config.service_name,
      ...endpointOf(this.#config.server_addr ?? textIn(context, "server_addr"), context.request.localPort),
    };
    const inner = this.#ended.map(({ endedAtMs, span }) => closeSpan(span, endedAtMs, { localEndpoint, tags: {} }));
    const whole = closeSpan(this.request, nowMs, {
      kind: "SERVER",
      localEndpoint,
      remoteEndpoint: endpointOf(remoteAddress, Number(textIn(context, "remote_port"))),
      tags: tagsOf(context),
    });
    return [...inner, whole];
  }

  #end(span: OpenSpan, endedAtMs = this.#now()): number {
    this.#ended.push({ span, endedAtMs });
    return endedAtMs;
  }
}

function tagsOf(context: LogContext): Readonly<Record<string, string>> {
  return {
    component: "apisix",
    "http.method": context.request.method,
    "http.url": context.request.rawTarget,
    "http.status_code": String(context.response.status),
    "apisix.response_source": responseSourceOf(context),
  };
}

function textIn({ variables }: LogContext, name: string): string {
  return String(variables.get(name) ?? "");
}
