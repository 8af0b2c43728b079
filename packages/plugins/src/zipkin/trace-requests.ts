import { GatewayError } from "@fngate/kernel";
import type {
  LogContext,
  PluginDeps,
  PluginInstance,
  Reply,
  RequestContext,
  ResponseContext,
  Variables,
} from "@fngate/plugin-kit";
import { acquireBatches, type Batches, type MetadataWithBacklog } from "../shared/batch/acquire-batches.ts";
import { textBytes } from "../shared/batch/batch-processor.ts";
import { putB3, takeB3 } from "./b3.ts";
import { RequestTrace } from "./request-trace.ts";
import type { ZipkinConfig } from "./schema.ts";

/** How spans are batched (APISIX: zipkin, reporter). */
const BATCHES = {
  name: "zipkin_report",
  batch_max_size: 1000,
  inactive_timeout: 5,
  buffer_duration: 60,
  max_retry_count: 0,
  retry_delay: 1,
};

/** Longest time for one delivery, milliseconds. */
const SEND_TIMEOUT_MS = 10_000;

const MALFORMED: Reply = { kind: "reply", status: 400 };

type Deps = PluginDeps<unknown, MetadataWithBacklog>;

/** Makes spans of requests that are sampled, and hands every request's place in its trace on to whoever is called. */
export function traceRequests(config: ZipkinConfig, deps: Deps): PluginInstance {
  return new RequestTracing(config, deps);
}

class RequestTracing implements PluginInstance {
  readonly #config: ZipkinConfig;
  readonly #deps: Deps;
  readonly #batches: Batches<string>;
  readonly #traces = new WeakMap<RequestContext, RequestTrace>();

  constructor(config: ZipkinConfig, deps: Deps) {
    this.#config = config;
    this.#deps = deps;
    this.#batches = acquireBatches<string>({
      plugin: "zipkin",
      config: { ...config, ...BATCHES },
      deps,
      sizeOf: textBytes,
      deliver: (spans) => send(spans, config.endpoint, deps),
    });
  }

  rewrite(context: RequestContext): Reply | undefined {
    const { attributes, clock, random } = this.#deps;
    const caller = takeB3(context.request.headers);
    if (caller === undefined) return MALFORMED;
    const isSampled = caller.isSampled ?? random() < this.#config.sample_ratio;
    const trace = new RequestTrace({ config: this.#config, caller, clock, isSampled });
    this.#traces.set(context, trace);
    if (attributes["set_ngx_var"] === true) tellVariables(context.variables, trace);
    return undefined;
  }

  access(context: RequestContext): void {
    const trace = this.#traces.get(context);
    if (trace !== undefined) putB3(context.request.headers, trace.beginCall(), trace.isSampled);
  }

  headerFilter(context: ResponseContext): undefined {
    this.#traces.get(context)?.beginAnswer();
  }

  log(context: LogContext): undefined {
    for (const span of this.#traces.get(context)?.finish(context) ?? []) {
      this.#batches.push(() => JSON.stringify(span), context);
    }
  }

  dispose(): void {
    this.#batches.release();
  }
}

async function send(spans: readonly string[], url: string, { http }: Deps): Promise<void> {
  const { status } = await http.call({
    method: "POST",
    url,
    headers: ["Content-Type", "application/json"],
    body: `[${spans.join(",")}]`,
    timeoutMs: SEND_TIMEOUT_MS,
  });
  if (status < 200 || status >= 300) throw new GatewayError("HTTP_CALL_FAILED", `${url} answered ${status}`);
}

/** The trace for whoever logs or forwards it otherwise (APISIX: `plugin_attr.zipkin.set_ngx_var`). */
function tellVariables(variables: Variables, { isSampled, request }: RequestTrace): void {
  const { id, traceId } = request;
  variables.set("zipkin_context_traceparent", `00-${traceId}-${id}-${isSampled ? "01" : "00"}`);
  variables.set("zipkin_trace_id", traceId);
  variables.set("zipkin_span_id", id);
}
