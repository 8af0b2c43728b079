import type { RequestContext } from "@fngate/plugin-kit";
import type { IdGenerator } from "@opentelemetry/sdk-trace";
import type { OpentelemetryMetadata } from "./metadata.ts";

/** An id as traces have it (W3C Trace Context, trace-id). */
const TRACE_ID = /^(?!0{32})[\da-f]{32}$/;

/** Makes ids of traces and spans: random ones, or those of requests where these are fit to be one. */
export class TraceIds implements IdGenerator {
  readonly #source: OpentelemetryMetadata["trace_id_source"];
  readonly #random: IdGenerator;
  #context: RequestContext | undefined = undefined;

  constructor(source: OpentelemetryMetadata["trace_id_source"], random: IdGenerator) {
    this.#source = source;
    this.#random = random;
  }

  /** Says which request the next trace is of, which is kept only where ids come from requests. */
  prepare(context: RequestContext): void {
    if (this.#source !== "random") this.#context = context;
  }

  generateTraceId(): string {
    const id = this.#context && requestIdOf(this.#context);
    return id !== undefined && TRACE_ID.test(id) ? id : this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#random.generateSpanId();
  }
}

function requestIdOf({ request, variables }: RequestContext): string {
  return String(request.headers.get("x-request-id") ?? variables.get("request_id")).toLowerCase();
}
