import { GatewayError, type Usage } from "@fngate/kernel";
import type { PluginDeps } from "@fngate/plugin-kit";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import { createBacklog } from "../shared/batch/backlog.ts";
import { DEFAULT_BOUNDS } from "../shared/batch/batch-fields.ts";
import { BatchProcessor } from "../shared/batch/batch-processor.ts";
import type { OpentelemetryMetadata } from "./metadata.ts";
import type { OpenTelemetry } from "./sdk.ts";

/** What APISIX's tracer does when the settings say nothing. */
const DEFAULTS = { queue: 2048, batch: 256, batchSeconds: 5, inactiveSeconds: 2 };

/** Tries after a failed one; a collector that is away for longer loses spans. */
const RETRIES = 3;

const RETRY_DELAY_MS = 1_000;

/** Ids, times, names of attributes and the objects that hold them, bytes. */
const SPAN_BYTES = 2_048;

/** Sends finished spans to a collector, several at a time (OTLP 1.x over HTTP, protobuf). */
export class SpanExporter implements SpanProcessor {
  readonly #batches: BatchProcessor<ReadableSpan>;
  readonly #deps: PluginDeps;
  readonly #serializer: OpenTelemetry["otlp"]["ProtobufTraceSerializer"];
  readonly #url: string;
  readonly #headers: readonly string[];
  readonly #timeoutMs: number;

  constructor(settings: OpentelemetryMetadata, deps: PluginDeps, { otlp }: OpenTelemetry) {
    const { address, request_headers: fields = {}, request_timeout: seconds } = settings.collector;
    this.#deps = deps;
    this.#serializer = otlp.ProtobufTraceSerializer;
    this.#url = `${/^https?:\/\//.test(address) ? "" : "http://"}${address.replace(/\/+$/, "")}/v1/traces`;
    const own = Object.entries(fields).flatMap(([name, value]) => [name, String(value)]);
    this.#headers = [...own, "Content-Type", "application/x-protobuf"];
    this.#timeoutMs = Math.max(seconds, 1) * 1000;
    this.#batches = this.#createBatches(settings.batch_span_processor);
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    this.#batches.push(() => span);
  }

  async forceFlush(): Promise<void> {
    await this.#batches.flush();
  }

  shutdown(): Promise<void> {
    return this.forceFlush();
  }

  #createBatches(settings: OpentelemetryMetadata["batch_span_processor"]): BatchProcessor<ReadableSpan> {
    const { clock, logger } = this.#deps;
    const limit = positive(settings.max_queue_size, DEFAULTS.queue);
    return new BatchProcessor({
      name: this.#url,
      settings: {
        maxEntries: Math.min(limit, positive(settings.max_export_batch_size, DEFAULTS.batch)),
        maxAgeMs: positive(settings.batch_timeout, DEFAULTS.batchSeconds) * 1000,
        inactiveMs: positive(settings.inactive_timeout, DEFAULTS.inactiveSeconds) * 1000,
        retries: RETRIES,
        retryDelayMs: RETRY_DELAY_MS,
      },
      clock,
      logger,
      backlog: createBacklog("opentelemetry", this.#deps, () => ({ ...DEFAULT_BOUNDS, entries: limit })),
      sizeOf: spanBytes,
      deliver: (spans) => this.#send(spans),
    });
  }

  async #send(spans: readonly ReadableSpan[]): Promise<void> {
    const body = this.#serializer.serializeRequest([...spans]);
    const { status } = await this.#deps.http.call({
      method: "POST",
      url: this.#url,
      headers: this.#headers,
      timeoutMs: this.#timeoutMs,
      ...(body === undefined ? {} : { body }),
    });
    if (status >= 300) throw new GatewayError("HTTP_CALL_FAILED", `the collector answered ${status}`);
  }
}

/** The one exporter of these settings, whoever else uses it; what waits is sent when the last one gave it up. */
export function acquireExporter(
  settings: OpentelemetryMetadata,
  deps: PluginDeps,
  libraries: OpenTelemetry,
): Usage<SpanExporter> {
  return deps.shared.acquire(
    `exporter ${JSON.stringify(settings)}`,
    () => new SpanExporter(settings, deps, libraries),
    (exporter) => exporter.shutdown(),
  );
}

/** What a span takes while it waits, roughly: its attributes are texts of clients, all else is of a kind. */
function spanBytes({ attributes, name }: ReadableSpan): number {
  let bytes = SPAN_BYTES + name.length;
  for (const value of Object.values(attributes)) if (typeof value === "string") bytes += value.length;
  return bytes;
}

function positive(value: number | undefined, fallback: number): number {
  return value === undefined || value <= 0 ? fallback : value;
}
