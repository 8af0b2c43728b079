import type { Usage } from "@fngate/kernel";
import type { GaugeMetric, PluginDeps, RequestContext } from "@fngate/plugin-kit";
import { type Backlog, type BacklogBounds, createBacklog } from "./backlog.ts";
import { type BatchConfig, batchSettings, DEFAULT_BOUNDS } from "./batch-fields.ts";
import { BatchProcessor, type BatchProcessorOptions, type Deliver } from "./batch-processor.ts";

/** The batches of one configuration of a plugin. */
export interface Batches<TEntry> {
  /** Takes an entry about a request, which is made only if there is room for it. */
  push(make: () => TEntry, context: RequestContext): void;
  /** Gives the batches up; the last user's release sends what is gathered, which goes on after a reload. */
  release(): void;
}

/** What {@link acquireBatches} needs. */
export interface BatchesOptions<TEntry> {
  readonly plugin: string;
  /** The whole configuration: an unchanged one keeps its batches over a reload. */
  readonly config: BatchConfig;
  readonly deps: PluginDeps<unknown, MetadataWithBacklog>;
  readonly deliver: Deliver<TEntry>;
  readonly sizeOf: BatchProcessorOptions<TEntry>["sizeOf"];
  readonly maxEntryBytes?: number | undefined;
  /** Called when the last user gave the batches up and nothing waits any more. */
  readonly onEnd?: (() => void) | undefined;
}

/** Metadata of a plugin that has batches. */
export interface MetadataWithBacklog {
  readonly max_pending_entries?: number | undefined;
  readonly max_pending_bytes?: number | undefined;
}

/** The batches of a configuration, made when nobody has them yet. They are flushed when the data plane stops. */
export function acquireBatches<TEntry extends {}>(options: BatchesOptions<TEntry>): Batches<TEntry> {
  const { config, deps } = options;
  const key = `batches ${deps.owner} ${JSON.stringify(config)}`;
  const usage = deps.shared.acquire(
    key,
    () => new OwnedBatches(options),
    (batches) => batches.end(),
  );
  return {
    push: (make, context) => usage.value.push(make, context),
    release: () => usage.release(),
  };
}

type BatchLabel = "name" | "route_id" | "server_addr";

class OwnedBatches<TEntry extends {}> {
  readonly #name: string;
  readonly #processor: BatchProcessor<TEntry>;
  readonly #backlog: Usage<Backlog>;
  readonly #gauge: GaugeMetric<BatchLabel>;
  readonly #onEnd: (() => void) | undefined;
  /** Labels of the gauge, known with the first entry. */
  #labels: Readonly<Record<BatchLabel, string>> | undefined;

  constructor({ config, deps, onEnd, plugin, ...delivery }: BatchesOptions<TEntry>) {
    const { clock, logger, metrics, shared } = deps;
    this.#name = config.name;
    this.#onEnd = onEnd;
    this.#backlog = shared.acquire("backlog", () => createBacklog(plugin, deps, () => boundsOf(deps)));
    this.#gauge = metrics.gauge("apisix_batch_process_entries", {
      help: "batch process remaining entries",
      labels: ["name", "route_id", "server_addr"],
    });
    this.#processor = new BatchProcessor({
      ...{ ...delivery, name: config.name, settings: batchSettings(config), clock, logger },
      backlog: this.#backlog.value,
      onGathered: (entries) => this.#labels && this.#gauge.set(this.#labels, entries),
    });
  }

  push(make: () => TEntry, { route, variables }: RequestContext): void {
    this.#labels ??= {
      name: this.#name,
      route_id: route?.id ?? "",
      server_addr: String(variables.get("server_addr") ?? ""),
    };
    this.#processor.push(make);
  }

  /** What still waits counts in the backlog until it is delivered. */
  end(): Promise<void> | undefined {
    const flushed = this.#processor.flush();
    if (flushed !== undefined) return flushed.then(() => this.#close());
    this.#close();
    return undefined;
  }

  #close(): void {
    this.#backlog.release();
    this.#onEnd?.();
    if (this.#labels !== undefined) this.#gauge.remove(this.#labels);
  }
}

/** How much may wait, as the metadata says now. */
function boundsOf({ metadata }: PluginDeps<unknown, MetadataWithBacklog>): BacklogBounds {
  const { max_pending_bytes: bytes, max_pending_entries: entries } = metadata.current ?? {};
  return { entries: entries ?? DEFAULT_BOUNDS.entries, bytes: bytes ?? DEFAULT_BOUNDS.bytes };
}
