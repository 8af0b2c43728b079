import type { HeaderList } from "@fngate/kernel";
import type { Context, Span, TextMapPropagator } from "@opentelemetry/api";
import type { OpenTelemetry } from "./sdk.ts";

const GETTER = {
  get: (headers: HeaderList, name: string) => headers.getAll(name),
  keys: () => [],
};

const SETTER = { set: (headers: HeaderList, name: string, value: string) => headers.set(name, value) };

/** Carries traces over requests' fields (W3C Trace Context). */
export class Propagation {
  readonly #api: OpenTelemetry["api"];
  readonly #propagator: TextMapPropagator<HeaderList>;

  constructor({ api, core }: OpenTelemetry) {
    this.#api = api;
    this.#propagator = new core.W3CTraceContextPropagator();
  }

  /** The trace that the caller has begun, if it says so. */
  extract(headers: HeaderList): Context {
    return this.#propagator.extract(this.#api.ROOT_CONTEXT, headers, GETTER);
  }

  /** Puts the span in the caller's place, for whoever is called next. */
  inject(headers: HeaderList, span: Span): void {
    // State without a trace that it belongs to must not go on (W3C Trace Context, tracestate).
    headers.delete("tracestate");
    this.#propagator.inject(this.#api.trace.setSpan(this.#api.ROOT_CONTEXT, span), headers, SETTER);
  }
}
