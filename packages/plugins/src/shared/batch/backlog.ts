import type { Clock, Logger } from "@fngate/kernel";
import type { CounterMetric, PluginDeps } from "@fngate/plugin-kit";

/** Why entries were not delivered. */
export type DropReason = "backlog" | "failed" | "oversize";

/** How much may wait. */
export interface BacklogBounds {
  readonly entries: number;
  /** Of entries as they are kept until they are delivered. */
  readonly bytes: number;
}

/** What a {@link Backlog} works with. */
export interface BacklogOptions {
  readonly plugin: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly drops: CounterMetric<"plugin" | "reason">;
  /** How much may wait, as of now. */
  readonly bounds: () => BacklogBounds;
}

/** Reports of the same kind are at least this far apart, milliseconds: an outage must not fill the log too. */
const REPORT_INTERVAL_MS = 1_000;

/**
 * Entries of one plugin that are not delivered yet, whichever configuration they belong to. It bounds them, so that a
 * receiver that is slow or away costs a bounded amount of memory, and counts what is dropped.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  readonly #reports: Readonly<Record<DropReason, { atMs: number; entries: number }>> = {
    backlog: { atMs: Number.NEGATIVE_INFINITY, entries: 0 },
    failed: { atMs: Number.NEGATIVE_INFINITY, entries: 0 },
    oversize: { atMs: Number.NEGATIVE_INFINITY, entries: 0 },
  };
  #entries = 0;
  #bytes = 0;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** How many entries wait, and how large they are together. */
  get waiting(): BacklogBounds {
    return { entries: this.#entries, bytes: this.#bytes };
  }

  /** Whether one more entry may be made; else one is counted as dropped. How large it is nobody knows before. */
  hasRoom(): boolean {
    const bounds = this.#options.bounds();
    if (this.#entries < bounds.entries && this.#bytes < bounds.bytes) return true;
    this.drop("backlog", 1, { waiting: this.waiting, limits: bounds });
    return false;
  }

  /** One more entry waits. */
  add(sizeBytes: number): void {
    this.#entries += 1;
    this.#bytes += sizeBytes;
  }

  /** So many entries are delivered. */
  settle({ bytes, entries }: BacklogBounds): void {
    this.#entries -= entries;
    this.#bytes -= bytes;
  }

  /** So many entries could not be delivered and are given up. */
  giveUp(given: BacklogBounds, details: Readonly<Record<string, unknown>>): void {
    this.settle(given);
    this.drop("failed", given.entries, details);
  }

  /** Counts entries that do not wait as dropped, and says so once in a while. */
  drop(reason: DropReason, entries: number, details: Readonly<Record<string, unknown>>): void {
    const { clock, drops, logger, plugin } = this.#options;
    drops.inc({ plugin, reason }, entries);
    const report = this.#reports[reason];
    report.entries += entries;
    const nowMs = clock.monotonicMs();
    if (nowMs - report.atMs < REPORT_INTERVAL_MS) return;
    logger.error({ ...details, reason, entries: report.entries }, "entries are dropped");
    report.atMs = nowMs;
    report.entries = 0;
  }
}

/** A backlog of a plugin. */
export function createBacklog(
  plugin: string,
  deps: PluginDeps<unknown, unknown>,
  bounds: BacklogOptions["bounds"],
): Backlog {
  const { clock, logger, metrics } = deps;
  const drops = metrics.counter("fngate_dropped_entries_total", {
    help: "Entries of batches that were not delivered: too much waited, delivery failed, or they were too large",
    labels: ["plugin", "reason"],
  });
  return new Backlog({ plugin, clock, logger, drops, bounds });
}
