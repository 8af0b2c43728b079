import { setImmediate as nextTurn } from "node:timers/promises";
import { type Clock, isGatewayError, type Logger, messageOf } from "@fngate/kernel";
import type { ConfigStore, Listing, Revision, StoreEntry, StoreEvent, WatchBatch } from "@fngate/store";
import { Backoff } from "./backoff.ts";

/** One key whose value is not what it was; no `entry` means it is gone. */
export interface MirrorChange {
  readonly key: string;
  readonly entry: StoreEntry | undefined;
}

/** What the mirror tells: real changes only, in store order. */
export interface MirrorUpdate {
  readonly changes: readonly MirrorChange[];
  readonly revision: Revision;
  /** Where it was read. A listing is complete by itself; `last-known` is a complete state of the past. */
  readonly source: "listing" | "watch" | "last-known";
}

export interface MirrorOptions {
  readonly store: ConfigStore;
  /** Key prefix without trailing slash. */
  readonly prefix: string;
  readonly clock: Clock;
  /** Numbers in `[0, 1)`. */
  readonly random: () => number;
  readonly logger: Logger;
  readonly onUpdate: (update: MirrorUpdate) => void;
  /** Reads a complete state of the past; asked once, when the first listing fails. */
  readonly readLastKnown?: () => Promise<Listing | undefined>;
}

/** A listing of 100,000 objects takes seconds; one that takes a minute will not come. */
const LIST_TIMEOUT_MS = 60_000;

/** Entries of a listing compared without a break: a few milliseconds. */
const ENTRIES_PER_TURN = 5_000;

/** With a file to start from, a store that does not answer within 3 s (a black hole) must not delay the start. */
const FIRST_LIST_TIMEOUT_MS = 3_000;

/**
 * Follows one prefix of the store and never gives up: list, watch from the listing's revision, and when the watch
 * is lost list again and tell the difference. The shape is client-go's reflector.
 *
 * A store that does not answer changes nothing; an empty listing does, because it is an answer.
 */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #backoff: Backoff;
  #entries = new Map<string, StoreEntry>();
  #revision: Revision | undefined;
  #isReachable = false;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.random);
  }

  /** The state as last heard, by key. */
  get entries(): ReadonlyMap<string, StoreEntry> {
    return this.#entries;
  }

  /** Revision of that state; absent before the first. */
  get revision(): Revision | undefined {
    return this.#revision;
  }

  /** Whether the store answered last time. */
  get isReachable(): boolean {
    return this.#isReachable;
  }

  /** Runs until the signal fires; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedMs = this.#options.clock.monotonicMs();
      try {
        await this.#listAndWatch(signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(error);
      }
      const heldMs = this.#options.clock.monotonicMs() - startedMs;
      await this.#options.clock.sleep(this.#backoff.afterFailure(heldMs), signal).catch(() => {});
    }
  }

  async #listAndWatch(signal: AbortSignal): Promise<void> {
    const { store, prefix } = this.#options;
    const listing = await this.#list(signal);
    this.#isReachable = true;
    await this.#applyListing(listing, "listing");
    for await (const batch of store.watch(`${prefix}/`, listing.revision, { signal })) this.#applyBatch(batch);
  }

  async #list(signal: AbortSignal): Promise<Listing> {
    const { clock, store, prefix, readLastKnown } = this.#options;
    const isFirst = this.#revision === undefined && readLastKnown !== undefined;
    const timeout = new AbortController();
    const done = new AbortController();
    clock
      .sleep(isFirst ? FIRST_LIST_TIMEOUT_MS : LIST_TIMEOUT_MS, done.signal)
      .then(() => timeout.abort(new Error("the store did not answer in time")))
      .catch(() => {});
    try {
      return await store.list(`${prefix}/`, { signal: AbortSignal.any([signal, timeout.signal]) });
    } finally {
      done.abort();
    }
  }

  async #recover(error: unknown): Promise<void> {
    const { logger } = this.#options;
    const isLost = isGatewayError(error, "STORE_WATCH_LOST");
    this.#isReachable = false;
    if (isLost) logger.info({ reason: messageOf(error) }, "watch lost, listing again");
    else logger.warn({ reason: messageOf(error) }, "store unreachable, keeping the configuration there is");
    if (this.#revision === undefined) await this.#startFromLastKnown();
  }

  async #startFromLastKnown(): Promise<void> {
    const { logger, readLastKnown } = this.#options;
    try {
      const listing = await readLastKnown?.();
      if (listing === undefined) return;
      logger.warn({ revision: listing.revision }, "serving the last known configuration until the store answers");
      await this.#applyListing(listing, "last-known");
    } catch (error) {
      logger.error({ reason: messageOf(error) }, "last known configuration cannot be read");
    }
  }

  /**
   * Values decide, not revisions: a wiped and rewritten store may reuse revisions for other values. Comparing takes
   * turns with other work; the state is replaced at once at the end.
   */
  async #applyListing(listing: Listing, source: "listing" | "last-known"): Promise<void> {
    const changes: MirrorChange[] = [];
    const next = new Map<string, StoreEntry>();
    for (const [index, entry] of listing.entries.entries()) {
      if (index > 0 && index % ENTRIES_PER_TURN === 0) await nextTurn();
      next.set(entry.key, entry);
      if (this.#entries.get(entry.key)?.value !== entry.value) changes.push({ key: entry.key, entry });
    }
    for (const key of this.#entries.keys()) if (!next.has(key)) changes.push({ key, entry: undefined });
    this.#entries = next;
    this.#revision = listing.revision;
    this.#options.onUpdate({ changes, revision: listing.revision, source });
  }

  #applyBatch(batch: WatchBatch): void {
    const changes: MirrorChange[] = [];
    for (const event of batch.events) {
      const change = this.#applyEvent(event);
      if (change !== undefined) changes.push(change);
    }
    this.#revision = batch.revision;
    this.#options.onUpdate({ changes, revision: batch.revision, source: "watch" });
  }

  #applyEvent(event: StoreEvent): MirrorChange | undefined {
    if (event.type === "delete") {
      return this.#entries.delete(event.key) ? { key: event.key, entry: undefined } : undefined;
    }
    const previous = this.#entries.get(event.entry.key);
    this.#entries.set(event.entry.key, event.entry);
    return previous?.value === event.entry.value ? undefined : { key: event.entry.key, entry: event.entry };
  }
}
