import type { LogContext, PluginInstance, RequestContext, Variables } from "@fngate/plugin-kit";
import type { Span } from "@opentelemetry/api";
import { responseSourceOf } from "../shared/response-source.ts";
import { Propagation } from "./propagation.ts";
import type { OpentelemetryConfig } from "./schema.ts";
import { loadOpenTelemetry, type OpenTelemetry } from "./sdk.ts";
import { answerAttributes, requestAttributes } from "./span-attributes.ts";
import { type ActiveTracer, type Deps, TracerSource } from "./tracer-source.ts";

/** A span that has begun; its end is told by the clock that nobody sets. */
interface OpenSpan {
  readonly span: Span;
  readonly startedAtMs: number;
  readonly startedMonotonicMs: number;
}

/** Makes a span of every request, and hands its place in the trace on to whoever is called. */
export function traceRequests(config: OpentelemetryConfig, deps: Deps): PluginInstance {
  return new RequestTracing(config, deps);
}

class RequestTracing implements PluginInstance {
  readonly #config: OpentelemetryConfig;
  readonly #clock: Deps["clock"];
  readonly #libraries: OpenTelemetry;
  readonly #propagation: Propagation;
  readonly #source: TracerSource;
  readonly #open = new WeakMap<RequestContext, OpenSpan>();

  constructor(config: OpentelemetryConfig, deps: Deps) {
    this.#config = config;
    this.#clock = deps.clock;
    this.#libraries = loadOpenTelemetry();
    this.#propagation = new Propagation(this.#libraries);
    this.#source = new TracerSource(config, deps, this.#libraries);
  }

  rewrite(context: RequestContext): void {
    const active = this.#source.current;
    if (active === undefined) return;
    const { headers } = context.request;
    const startedAtMs = this.#clock.now();
    const startedMonotonicMs = this.#clock.monotonicMs();
    const span = this.#begin(active, context, startedAtMs);
    this.#propagation.inject(headers, span);
    if (active.settings.set_ngx_var) tellVariables(context.variables, span);
    if (span.isRecording()) this.#open.set(context, { span, startedAtMs, startedMonotonicMs });
  }

  log(context: LogContext): undefined {
    const begun = this.#open.get(context);
    if (begun === undefined) return;
    const { span, startedAtMs, startedMonotonicMs } = begun;
    const { status } = context.response;
    span.setAttributes(answerAttributes(context, this.#config));
    if (status >= 500) {
      const { ERROR } = this.#libraries.api.SpanStatusCode;
      span.setStatus({ code: ERROR, message: `${responseSourceOf(context)} error: ${status}` });
    }
    span.end(startedAtMs + this.#clock.monotonicMs() - startedMonotonicMs);
  }

  dispose(): void {
    this.#source.close();
  }

  #begin({ ids, tracer }: ActiveTracer, context: RequestContext, startTime: number): Span {
    const { request, route } = context;
    const name = route === undefined ? request.method : `${request.method} ${route.uri}`;
    ids.prepare(context);
    const options = { kind: this.#libraries.api.SpanKind.SERVER, startTime, attributes: requestAttributes(context) };
    return tracer.startSpan(name, options, this.#propagation.extract(request.headers));
  }
}

/** The trace for whoever logs or forwards it otherwise (APISIX: `set_ngx_var`). */
function tellVariables(variables: Variables, span: Span): void {
  const { spanId, traceFlags, traceId } = span.spanContext();
  const flags = traceFlags.toString(16).padStart(2, "0");
  variables.set("opentelemetry_context_traceparent", `00-${traceId}-${spanId}-${flags}`);
  variables.set("opentelemetry_trace_id", traceId);
  variables.set("opentelemetry_span_id", spanId);
}
