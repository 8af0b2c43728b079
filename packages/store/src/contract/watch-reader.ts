import type { ConfigStore, StoreEvent, WatchBatch } from "../config-store.ts";
import type { Revision } from "../revision.ts";

/** A watch read step by step. */
export class WatchReader implements AsyncDisposable {
  readonly #abort = new AbortController();
  readonly #batches: AsyncIterator<WatchBatch>;

  constructor(store: ConfigStore, prefix: string, after: Revision) {
    this.#batches = store.watch(prefix, after, { signal: this.#abort.signal })[Symbol.asyncIterator]();
  }

  async nextBatch(): Promise<WatchBatch> {
    const { done, value } = await this.#batches.next();
    if (done === true) throw new Error("the watch ended without an error");
    return value;
  }

  /** The next batch that changes something: progress marks may come at any time. */
  async next(): Promise<WatchBatch> {
    let batch = await this.nextBatch();
    while (batch.events.length === 0) batch = await this.nextBatch();
    return batch;
  }

  abort(): void {
    this.#abort.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    await this.#batches.return?.();
  }
}

/** Starts to watch; nothing is asked of the store before the first step. */
export function watchFrom(store: ConfigStore, prefix: string, after: Revision): WatchReader {
  return new WatchReader(store, prefix, after);
}

/** Keys that a batch changes, in order. */
export function keysOf(batch: WatchBatch): string[] {
  return batch.events.map((event: StoreEvent) => (event.type === "put" ? event.entry.key : event.key));
}
