import { type Clock, type Logger, messageOf } from "@fngate/kernel";
import type { Backlog, BacklogBounds } from "./backlog.ts";

/** Delivers some entries; rejects when that failed, and all of them are to be tried again. */
export type Deliver<TEntry> = (entries: readonly TEntry[]) => Promise<void>;

/** When entries are delivered together, and how often delivery is tried (APISIX: batch processor). */
export interface BatchSettings {
  /** Entries that are delivered at once; 1: each as it comes. */
  readonly maxEntries: number;
  /** Delivered when no entry came for so long, milliseconds. */
  readonly inactiveMs: number;
  /** Delivered when the oldest entry is so old, milliseconds. */
  readonly maxAgeMs: number;
  /** Tries after the first one. */
  readonly retries: number;
  /** Pause before each of them, milliseconds. */
  readonly retryDelayMs: number;
}

/** What a {@link BatchProcessor} works with. */
export interface BatchProcessorOptions<TEntry> {
  /** In logs: what the configuration calls the processor. */
  readonly name: string;
  readonly settings: BatchSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly backlog: Backlog;
  readonly deliver: Deliver<TEntry>;
  /** How large an entry is while it waits, bytes. */
  readonly sizeOf: (entry: TEntry) => number;
  /** Entries above this size are dropped and counted, bytes; absent: there is no such size. */
  readonly maxEntryBytes?: number | undefined;
  /** Told how many entries are gathered for the next batch. */
  readonly onGathered?: (entries: number) => void;
}

interface Batch<TEntry> {
  readonly entries: readonly TEntry[];
  readonly bytes: number;
  /** How often delivery failed. */
  readonly failures: number;
}

/** The size of an entry that waits as a text. */
export function textBytes(text: string): number {
  return Buffer.byteLength(text);
}

/** Batches of one processor that are delivered at once; a receiver gets no more connections than that. */
const MAX_UNDER_WAY = 8;

/** Gathers entries, and delivers them in batches. */
export class BatchProcessor<TEntry extends {}> {
  readonly #options: BatchProcessorOptions<TEntry>;
  readonly #queue: Batch<TEntry>[] = [];
  readonly #whenIdle: (() => void)[] = [];
  #gathered: TEntry[] = [];
  #gatheredBytes = 0;
  #firstAtMs = 0;
  #lastAtMs = 0;
  #isWatching = false;
  #underWay = 0;
  /** Batches that wait for their next try. */
  #pausing = 0;

  constructor(options: BatchProcessorOptions<TEntry>) {
    this.#options = options;
  }

  /** Takes an entry, unless too much waits already: then it is not even made, and counted as dropped. Never waits. */
  push(make: () => TEntry): void {
    const { backlog, clock, maxEntryBytes = Number.POSITIVE_INFINITY, settings, sizeOf } = this.#options;
    if (!backlog.hasRoom()) return;
    const entry = make();
    const sizeBytes = sizeOf(entry);
    if (sizeBytes > maxEntryBytes) {
      backlog.drop("oversize", 1, { sizeBytes, maxEntryBytes });
      return;
    }
    backlog.add(sizeBytes);
    this.#gatheredBytes += sizeBytes;
    this.#lastAtMs = clock.monotonicMs();
    if (this.#gathered.length === 0) this.#firstAtMs = this.#lastAtMs;
    this.#gathered.push(entry);
    if (this.#gathered.length >= settings.maxEntries) this.#deliverGathered();
    else {
      this.#options.onGathered?.(this.#gathered.length);
      if (!this.#isWatching) void this.#watch();
    }
  }

  /** Delivers what is gathered; resolves once nothing waits any more, retries included. Nothing waits: no promise. */
  flush(): Promise<void> | undefined {
    this.#deliverGathered();
    if (this.#isIdle) return undefined;
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  get #isIdle(): boolean {
    return this.#underWay === 0 && this.#pausing === 0 && this.#queue.length === 0 && this.#gathered.length === 0;
  }

  /** Waits until what is gathered is due, for as long as something is. */
  async #watch(): Promise<void> {
    const { clock, settings } = this.#options;
    this.#isWatching = true;
    while (this.#gathered.length > 0) {
      const dueAtMs = Math.min(this.#lastAtMs + settings.inactiveMs, this.#firstAtMs + settings.maxAgeMs);
      const waitMs = dueAtMs - clock.monotonicMs();
      if (waitMs <= 0) this.#deliverGathered();
      else await clock.sleep(waitMs);
    }
    this.#isWatching = false;
  }

  #deliverGathered(): void {
    if (this.#gathered.length === 0) return;
    this.#queue.push({ entries: this.#gathered, bytes: this.#gatheredBytes, failures: 0 });
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#options.onGathered?.(0);
    this.#pump();
  }

  #pump(): void {
    while (this.#underWay < MAX_UNDER_WAY) {
      const batch = this.#queue.shift();
      if (batch === undefined) break;
      void this.#deliver(batch);
    }
    if (this.#isIdle) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  async #deliver(batch: Batch<TEntry>): Promise<void> {
    const { backlog, deliver } = this.#options;
    this.#underWay += 1;
    let failure: unknown;
    try {
      await deliver(batch.entries);
    } catch (error) {
      failure = error ?? new Error("no reason given");
    }
    this.#underWay -= 1;
    if (failure === undefined) backlog.settle(amountOf(batch));
    else this.#afterFailure({ ...batch, failures: batch.failures + 1 }, messageOf(failure));
    this.#pump();
  }

  #afterFailure(batch: Batch<TEntry>, reason: string): void {
    const { backlog, logger, name, settings } = this.#options;
    const { entries, failures } = batch;
    if (failures > settings.retries) {
      backlog.giveUp(amountOf(batch), { name, tries: failures, cause: reason });
      return;
    }
    logger.debug({ name, tries: failures, reason, entries: entries.length }, "a batch is tried again");
    this.#pausing += 1;
    void this.#tryLater(batch);
  }

  async #tryLater(batch: Batch<TEntry>): Promise<void> {
    const { clock, settings } = this.#options;
    await clock.sleep(settings.retryDelayMs);
    this.#pausing -= 1;
    this.#queue.unshift(batch);
    this.#pump();
  }
}

function amountOf({ bytes, entries }: Batch<unknown>): BacklogBounds {
  return { entries: entries.length, bytes };
}
