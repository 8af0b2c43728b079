import type { Clock, Logger } from "@fngate/kernel";
import type { CounterMetric, PluginDeps } from "@fngate/plugin-kit";

/** Why entries were not delivered. */
export type DropReason = "backlog" | "failed";

/** What a {@link Backlog} works with. */
export interface BacklogOptions {
  readonly plugin: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly drops: CounterMetric<"plugin" | "reason">;
  /** Most entries that may wait, as of now. */
  readonly limit: () => number;
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
  };
  #waiting = 0;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** How many entries wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Takes one more entry in, which is made only if there is room for it; else nothing, counted as dropped. */
  admit<TEntry extends {}>(make: () => TEntry): TEntry | undefined {
    const limit = this.#options.limit();
    if (this.#waiting >= limit) {
      this.#drop("backlog", 1, { limit });
      return undefined;
    }
    const entry = make();
    this.#waiting += 1;
    return entry;
  }

  /** So many entries are delivered. */
  settle(entries: number): void {
    this.#waiting -= entries;
  }

  /** So many entries could not be delivered and are given up. */
  giveUp(entries: number, details: Readonly<Record<string, unknown>>): void {
    this.#waiting -= entries;
    this.#drop("failed", entries, details);
  }

  #drop(reason: DropReason, entries: number, details: Readonly<Record<string, unknown>>): void {
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

/** A backlog of a plugin, of at most `limit` entries. */
export function createBacklog(plugin: string, deps: PluginDeps<unknown, unknown>, limit: () => number): Backlog {
  const { clock, logger, metrics } = deps;
  const drops = metrics.counter("fngate_dropped_entries_total", {
    help: "Entries of batches that were not delivered, because too many waited or delivery failed",
    labels: ["plugin", "reason"],
  });
  return new Backlog({ plugin, clock, logger, drops, limit });
}
