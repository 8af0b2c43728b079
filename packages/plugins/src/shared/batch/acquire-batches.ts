import type { Usage } from "@fngate/kernel";
import type { GaugeMetric, PluginDeps, RequestContext } from "@fngate/plugin-kit";
import { type Backlog, createBacklog } from "./backlog.ts";
import { type BatchConfig, batchSettings, DEFAULT_MAX_PENDING } from "./batch-fields.ts";
import { BatchProcessor, type Deliver } from "./batch-processor.ts";

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
}

/** Metadata of a plugin that has batches. */
export interface MetadataWithBacklog {
  readonly max_pending_entries?: number;
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
  /** Labels of the gauge, known with the first entry. */
  #labels: Readonly<Record<BatchLabel, string>> | undefined;

  constructor({ config, deliver, deps, plugin }: BatchesOptions<TEntry>) {
    const { clock, logger, metadata, metrics, shared } = deps;
    const limit = () => metadata.current?.max_pending_entries ?? DEFAULT_MAX_PENDING;
    this.#name = config.name;
    this.#backlog = shared.acquire("backlog", () => createBacklog(plugin, deps, limit));
    this.#gauge = metrics.gauge("apisix_batch_process_entries", {
      help: "batch process remaining entries",
      labels: ["name", "route_id", "server_addr"],
    });
    this.#processor = new BatchProcessor({
      ...{ name: config.name, settings: batchSettings(config), clock, logger, backlog: this.#backlog.value, deliver },
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
    if (this.#labels !== undefined) this.#gauge.remove(this.#labels);
  }
}
