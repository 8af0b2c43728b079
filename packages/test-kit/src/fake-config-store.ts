import { type Clock, GatewayError, systemClock } from "@fngate/kernel";
import {
  type CallOptions,
  type ConfigStore,
  compareRevisions,
  type DeleteOptions,
  type DeleteResult,
  type Expectation,
  type Listing,
  type PutOptions,
  type PutResult,
  parseRevision,
  type Revision,
  type StoreEntry,
  type StoreEvent,
  type WatchBatch,
  type WatchOptions,
} from "@fngate/store";

/** What a {@link FakeConfigStore} needs from outside. */
export interface FakeConfigStoreOptions {
  /** Decides when entries expire and how long a delayed list takes; default: the machine's time. */
  readonly clock?: Clock;
}

interface Held {
  readonly entry: StoreEntry;
  readonly expiresAt: number | undefined;
}

/** etcd's revision before anything was ever written. */
const FIRST_REVISION = 1;

/**
 * A ConfigStore in memory: the readable specification of the port, and its fault verbs.
 *
 * A map holds what is, a list of batches holds what happened, and a watch is a reader of that list that sleeps
 * when it has read it all.
 */
export class FakeConfigStore implements ConfigStore, AsyncDisposable {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  #history: WatchBatch[] = [];
  #revision = FIRST_REVISION;
  /** Nothing at or below this revision can be watched any more. */
  #compacted = 0;
  /** Counts connections: a watch belongs to the one it began on. */
  #connection = 1;
  #isConnected = true;
  #isClosed = false;
  #listDelayMs = 0;
  #dropped = new Set<Revision>();
  #dropsNext = false;
  #changed = Promise.withResolvers<void>();

  constructor({ clock = systemClock }: FakeConfigStoreOptions = {}) {
    this.#clock = clock;
  }

  /** The revision of the last write. */
  get revision(): Revision {
    return parseRevision(this.#revision);
  }

  async get(key: string, options: CallOptions = {}): Promise<StoreEntry | undefined> {
    this.#begin(options);
    return this.#held.get(key)?.entry;
  }

  async list(prefix: string, options: CallOptions = {}): Promise<Listing> {
    this.#begin(options);
    if (this.#listDelayMs > 0) await unlessAborted(this.#clock.sleep(this.#listDelayMs, options.signal), options);
    this.#begin(options);
    return { entries: this.#under(prefix), revision: this.revision };
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<PutResult> {
    this.#begin(options);
    const previous = this.#held.get(key)?.entry;
    expectEntry(key, previous, options.expect);
    const revision = this.#nextRevision();
    const entry = { key, value, createRevision: previous?.createRevision ?? revision, modRevision: revision };
    const expiresAt = options.ttlSeconds === undefined ? undefined : this.#clock.now() + options.ttlSeconds * 1_000;
    this.#held.set(key, { entry, expiresAt });
    this.#commit([{ type: "put", entry }]);
    return { revision, previous };
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    this.#begin(options);
    const deleted = this.#held.get(key)?.entry;
    expectEntry(key, deleted, options.expect);
    if (deleted !== undefined) this.#remove([deleted]);
    return { revision: this.revision, deleted };
  }

  async deletePrefix(prefix: string, options: CallOptions = {}): Promise<number> {
    this.#begin(options);
    const doomed = this.#under(prefix);
    if (doomed.length > 0) this.#remove(doomed);
    return doomed.length;
  }

  async *watch(prefix: string, after: Revision, { signal }: WatchOptions): AsyncGenerator<WatchBatch, void, undefined> {
    this.#begin({ signal });
    const connection = this.#connection;
    let cursor = after;
    for (;;) {
      this.#checkWatch(cursor, connection, signal);
      // Taken before the history is read: what is committed while a batch is handed over wakes the wait below.
      const changed = this.#changed.promise;
      for (const batch of this.#history) {
        if (compareRevisions(batch.revision, cursor) <= 0) continue;
        cursor = batch.revision;
        if (this.#dropped.has(batch.revision)) continue;
        yield { revision: batch.revision, events: batch.events.filter((event) => keyOf(event).startsWith(prefix)) };
        this.#checkWatch(cursor, connection, signal);
      }
      await this.#untilChanged(changed, signal);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Fault: the next write happens, but no watch ever hears of it. */
  dropNextEvent(): void {
    this.#dropsNext = true;
  }

  /** Fault: forgets the history up to now; a watch that is not up to date is lost. */
  compact(): void {
    this.#compacted = this.#revision;
    this.#history = [];
    this.#wake();
  }

  /** Fault: every call fails with `STORE_UNAVAILABLE` and every watch is lost, until {@link FakeConfigStore.reconnect}. */
  disconnect(): void {
    this.#isConnected = false;
    this.#connection += 1;
    this.#wake();
  }

  /** Ends what {@link FakeConfigStore.disconnect} began. */
  reconnect(): void {
    this.#isConnected = true;
  }

  /** Fault: every list takes `ms` milliseconds of the clock from now on; 0 ends it. */
  delayList(ms: number): void {
    this.#listDelayMs = ms;
  }

  /** Fault: loses all data, so that the revision goes backwards; every watch is lost. */
  wipe(): void {
    this.#held.clear();
    this.#history = [];
    this.#dropped.clear();
    this.#revision = FIRST_REVISION;
    this.#compacted = 0;
    this.#connection += 1;
    this.#wake();
  }

  #begin({ signal }: CallOptions): void {
    this.#checkOpen(signal);
    if (!this.#isConnected) throw new GatewayError("STORE_UNAVAILABLE", "the store is disconnected");
    this.#expire();
  }

  #checkOpen(signal: AbortSignal | undefined): void {
    if (this.#isClosed) throw new GatewayError("STORE_CLOSED", "the store is closed");
    if (signal?.aborted) throw new GatewayError("STORE_ABORTED", "the call was aborted", { cause: signal.reason });
  }

  #checkWatch(cursor: Revision, connection: number, signal: AbortSignal): void {
    this.#checkOpen(signal);
    if (connection !== this.#connection) throw new GatewayError("STORE_WATCH_LOST", "the connection was lost");
    this.#expire();
    const position = BigInt(cursor);
    if (position < this.#compacted) throw new GatewayError("STORE_WATCH_LOST", `revision ${cursor} is compacted`);
    if (position > this.#revision) throw new GatewayError("STORE_WATCH_LOST", `revision ${cursor} is yet to come`);
  }

  async #untilChanged(changed: Promise<void>, signal: AbortSignal): Promise<void> {
    const rest = new AbortController();
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve(), { signal: rest.signal });
    const waits = [changed, aborted];
    const expiries = [...this.#held.values()].flatMap(({ expiresAt }) => expiresAt ?? []);
    // Waking up early or for nothing is harmless: the loop looks at the history again.
    if (expiries.length > 0) {
      waits.push(this.#clock.sleep(Math.min(...expiries) - this.#clock.now(), rest.signal).catch(() => {}));
    }
    await Promise.race(waits);
    rest.abort();
  }

  #expire(): void {
    const now = this.#clock.now();
    const expired = [...this.#held.values()].filter(({ expiresAt }) => expiresAt !== undefined && expiresAt <= now);
    if (expired.length > 0) this.#remove(expired.map(({ entry }) => entry));
  }

  #under(prefix: string): StoreEntry[] {
    return [...this.#held.values()]
      .map(({ entry }) => entry)
      .filter(({ key }) => key.startsWith(prefix))
      .sort((left, right) => Buffer.compare(Buffer.from(left.key), Buffer.from(right.key)));
  }

  #remove(entries: readonly StoreEntry[]): void {
    const revision = this.#nextRevision();
    for (const { key } of entries) this.#held.delete(key);
    this.#commit(entries.map(({ key }) => ({ type: "delete", key, revision })));
  }

  #nextRevision(): Revision {
    this.#revision += 1;
    return this.revision;
  }

  #commit(events: readonly StoreEvent[]): void {
    this.#history.push({ revision: this.revision, events });
    if (this.#dropsNext) this.#dropped.add(this.revision);
    this.#dropsNext = false;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

function keyOf(event: StoreEvent): string {
  return event.type === "put" ? event.entry.key : event.key;
}

function expectEntry(key: string, entry: StoreEntry | undefined, expected: Expectation | undefined): void {
  const actual = entry?.modRevision ?? "absent";
  if (expected === undefined || expected === actual) return;
  const details = { key, expected, actual };
  throw new GatewayError("STORE_CONFLICT", `"${key}" is at ${actual}, not at ${expected}`, { details });
}

async function unlessAborted(wait: Promise<void>, { signal }: CallOptions): Promise<void> {
  try {
    await wait;
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new GatewayError("STORE_ABORTED", "the call was aborted", { cause: error });
  }
}
