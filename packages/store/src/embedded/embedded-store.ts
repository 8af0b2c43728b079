import type { DatabaseSync } from "node:sqlite";
import { type Clock, GatewayError, type Logger, messageOf, silentLogger, systemClock } from "@fngate/kernel";
import { checkCall, checkExpectation, waitFor } from "../call-guard.ts";
import type {
  CallOptions,
  ConfigStore,
  DeleteOptions,
  DeleteResult,
  Listing,
  PutOptions,
  PutResult,
  StoreEntry,
  WatchBatch,
  WatchOptions,
} from "../config-store.ts";
import { parseRevision, type Revision } from "../revision.ts";
import { openDatabase, openForReading, readAtOnce, transact, unavailable } from "./database.ts";
import { ENTRIES_PER_TURN, listInTurns } from "./list-in-turns.ts";
import { Tables } from "./tables.ts";

/** How {@link openEmbeddedStore} opens a store. */
export interface EmbeddedStoreOptions {
  /** The SQLite file, made where missing; `:memory:` keeps everything in this process. */
  readonly path: string;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Decides when entries expire and how often other processes' writes are looked for; default: the machine's time. */
  readonly clock?: Clock;
  /** Follows what another process writes: nothing is made, written or expired here. Default false. */
  readonly readOnly?: boolean;
  /** How many revisions back a watch can begin; older ones are forgotten. Default 10000. */
  readonly historyLimit?: number;
}

/** How often a watch looks for writes of other processes, in milliseconds: one PRAGMA that reads shared memory. */
const POLL_MS = 20;

/** How many revisions a watch reads in one go, so that a long way to catch up does not block the process. */
const REVISIONS_PER_READ = 500;

const DEFAULT_HISTORY_LIMIT = 10_000;

/**
 * Opens a ConfigStore in one SQLite file, durable before it acknowledges, for the processes of one machine.
 *
 * Raises `STORE_UNAVAILABLE` when the file cannot be read, is no database of ours or has a newer format.
 */
export function openEmbeddedStore(options: EmbeddedStoreOptions): ConfigStore {
  return new EmbeddedConfigStore(options);
}

class EmbeddedConfigStore implements ConfigStore {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #historyLimit: number;
  readonly #isReadOnly: boolean;
  readonly #database: DatabaseSync;
  readonly #tables: Tables;
  readonly #closing = new AbortController();
  #changed = Promise.withResolvers<void>();
  #dataVersion: number;
  #nextExpiry: number;
  #watches = 0;
  #following: AbortController | undefined;

  constructor(options: EmbeddedStoreOptions) {
    this.#path = options.path;
    this.#logger = options.logger ?? silentLogger;
    this.#clock = options.clock ?? systemClock;
    this.#historyLimit = options.historyLimit ?? DEFAULT_HISTORY_LIMIT;
    this.#isReadOnly = options.readOnly ?? false;
    this.#database = this.#isReadOnly ? openForReading(options.path) : openDatabase(options.path);
    this.#tables = new Tables(this.#database);
    this.#dataVersion = this.#tables.dataVersion();
    this.#nextExpiry = this.#tables.nextExpiry();
  }

  async get(key: string, options: CallOptions = {}): Promise<StoreEntry | undefined> {
    return this.#call(options, () => this.#tables.entry(key));
  }

  async list(prefix: string, options: CallOptions = {}): Promise<Listing> {
    // What is in memory only has no second connection.
    const limit = this.#path === ":memory:" ? undefined : ENTRIES_PER_TURN;
    const listing = this.#call(options, () =>
      readAtOnce(this.#database, () => ({
        entries: this.#tables.entries(prefix, limit),
        revision: parseRevision(this.#tables.position().revision),
      })),
    );
    return listing.entries.length === limit ? this.#listInTurns(prefix, options) : listing;
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<PutResult> {
    const expiresAt = options.ttlSeconds === undefined ? null : this.#clock.now() + options.ttlSeconds * 1_000;
    return this.#write(options, (next) => {
      const previous = this.#tables.entry(key);
      checkExpectation(key, previous, options.expect);
      const revision = parseRevision(next());
      const createRevision = previous?.createRevision ?? revision;
      this.#tables.save({ key, value, createRevision, modRevision: revision }, expiresAt);
      if (expiresAt !== null) this.#nextExpiry = Math.min(this.#nextExpiry, expiresAt);
      return { revision, previous };
    });
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    return this.#write(options, (next) => {
      const deleted = this.#tables.entry(key);
      checkExpectation(key, deleted, options.expect);
      if (deleted !== undefined) this.#tables.drop(deleted, next());
      return { revision: parseRevision(this.#tables.position().revision), deleted };
    });
  }

  async deletePrefix(prefix: string, options: CallOptions = {}): Promise<number> {
    return this.#write(options, (next) => this.#dropAll(this.#tables.entries(prefix), next));
  }

  async *watch(prefix: string, after: Revision, { signal }: WatchOptions): AsyncGenerator<WatchBatch, void, undefined> {
    const { signal: closing } = this.#closing;
    let cursor = Number(after);
    this.#watchBegins();
    try {
      for (;;) {
        // Taken before the read: what is committed while a batch is handed over wakes the wait below.
        const changed = this.#changed.promise;
        const { batches, upTo, isAll } = this.#call({ signal }, () => this.#readHistory(prefix, cursor));
        for (const batch of batches) {
          yield batch;
          checkCall(closing, signal);
        }
        const last = Number(batches.at(-1)?.revision ?? cursor);
        if (last < upTo) yield { revision: parseRevision(upTo), events: [] };
        cursor = upTo;
        if (isAll) await waitFor(changed, [closing, signal]);
      }
    } finally {
      this.#watchEnds();
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#following?.abort();
    this.#database.close();
  }

  async #listInTurns(prefix: string, { signal }: CallOptions): Promise<Listing> {
    try {
      return await listInTurns(this.#path, prefix, () => checkCall(this.#closing.signal, signal));
    } catch (error) {
      throw unavailable(this.#path, error);
    }
  }

  #call<TResult>({ signal }: CallOptions, work: () => TResult): TResult {
    checkCall(this.#closing.signal, signal);
    try {
      this.#noticeOthers();
      this.#expire();
      return work();
    } catch (error) {
      throw unavailable(this.#path, error);
    }
  }

  /** Runs `work` as one transaction with at most one new revision, which `work` asks for when it changes something. */
  #write<TResult>(options: CallOptions, work: (next: () => number) => TResult): TResult {
    if (this.#isReadOnly) throw new GatewayError("STORE_READ_ONLY", "this process only reads the store");
    return this.#call(options, () => this.#commit(work));
  }

  #commit<TResult>(work: (next: () => number) => TResult): TResult {
    let isChanged = false;
    const result = transact(this.#database, () =>
      work(() => {
        isChanged = true;
        const revision = this.#tables.position().revision + 1;
        this.#tables.moveTo(revision);
        this.#tables.compactTo(revision - this.#historyLimit);
        return revision;
      }),
    );
    if (isChanged) this.#wake();
    return result;
  }

  #dropAll(entries: readonly StoreEntry[], next: () => number): number {
    if (entries.length === 0) return 0;
    const revision = next();
    for (const entry of entries) this.#tables.drop(entry, revision);
    return entries.length;
  }

  #readHistory(prefix: string, cursor: number): { batches: WatchBatch[]; upTo: number; isAll: boolean } {
    return readAtOnce(this.#database, () => {
      const { revision, compacted } = this.#tables.position();
      if (cursor < compacted) throw new GatewayError("STORE_WATCH_LOST", `revision ${cursor} is compacted`);
      if (cursor > revision) throw new GatewayError("STORE_WATCH_LOST", `revision ${cursor} is yet to come`);
      const upTo = Math.min(revision, cursor + REVISIONS_PER_READ);
      return { batches: this.#tables.batches(prefix, cursor, upTo), upTo, isAll: upTo === revision };
    });
  }

  #expire(): void {
    const now = this.#clock.now();
    // The process that writes sees to it within its own poll.
    if (now < this.#nextExpiry || this.#isReadOnly) return;
    this.#commit((next) => this.#dropAll(this.#tables.expired(now), next));
    this.#nextExpiry = this.#tables.nextExpiry();
  }

  #noticeOthers(): void {
    const version = this.#tables.dataVersion();
    if (version === this.#dataVersion) return;
    this.#dataVersion = version;
    this.#nextExpiry = this.#tables.nextExpiry();
    this.#wake();
  }

  #watchBegins(): void {
    this.#watches += 1;
    if (this.#following !== undefined) return;
    this.#following = new AbortController();
    void this.#follow(this.#following.signal);
  }

  #watchEnds(): void {
    this.#watches -= 1;
    if (this.#watches > 0) return;
    this.#following?.abort();
    this.#following = undefined;
  }

  /** Wakes watches when another process writes or an entry expires; runs while anyone watches. */
  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(POLL_MS, signal);
        this.#noticeOthers();
        this.#expire();
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.warn({ path: this.#path, error: messageOf(error) }, "looking for changes of the store failed");
        // Each watch looks for itself and ends with the error if it persists.
        this.#wake();
      }
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
