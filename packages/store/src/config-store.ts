import type { Revision } from "./revision.ts";

/**
 * The store both planes meet in: a revisioned map of text values under text keys, shaped after etcd.
 *
 * Keys are absolute (`/apisix/routes/1`); the store knows nothing of routes, and values are opaque text.
 * Every method rejects with `STORE_UNAVAILABLE` when the back end does not answer, with `STORE_ABORTED` when
 * its signal fires and with `STORE_CLOSED` after {@link ConfigStore.close}. Two implementations pass the one
 * contract suite in `@fngate/store/contract`: etcd and embedded (SQLite).
 */
export interface ConfigStore {
  /** One entry, or nothing. */
  get(key: string, options?: CallOptions): Promise<StoreEntry | undefined>;
  /** Every entry whose key starts with `prefix`, in byte order of the key, and the revision they were read at. */
  list(prefix: string, options?: CallOptions): Promise<Listing>;
  /** Writes one value. Rejects with `STORE_CONFLICT` when `expect` does not hold. */
  put(key: string, value: string, options?: PutOptions): Promise<PutResult>;
  /** Removes one key; `deleted` is absent when there was none. Rejects with `STORE_CONFLICT` when `expect` does not hold. */
  delete(key: string, options?: DeleteOptions): Promise<DeleteResult>;
  /** Removes every key that starts with `prefix` in one transaction and returns how many there were. */
  deletePrefix(prefix: string, options?: CallOptions): Promise<number>;
  /**
   * Everything that changes under `prefix` after revision `after`, in order, one batch per store transaction.
   * An empty batch is a progress mark: nothing below its revision is outstanding.
   *
   * Iteration ends with `STORE_WATCH_LOST` on any doubt about completeness (connection lost, history compacted,
   * revision going backwards): the caller lists again. It ends with `STORE_ABORTED` when the signal fires.
   */
  watch(prefix: string, after: Revision, options: WatchOptions): AsyncIterable<WatchBatch>;
  /** Version of the server behind the store, where there is one. */
  serverVersion?(options?: CallOptions): Promise<string>;
  /** Ends every watch and frees connections; idempotent. */
  close(): Promise<void>;
}

/** Options of every call: the signal bounds the wait. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** What must hold for a write: the key's current `modRevision`, or that there is no such key. */
export type Expectation = Revision | "absent";

export interface PutOptions extends CallOptions {
  readonly expect?: Expectation;
  /** Seconds after which the entry disappears by itself; a later put without it makes the entry permanent. */
  readonly ttlSeconds?: number;
}

export interface DeleteOptions extends CallOptions {
  readonly expect?: Expectation;
}

export interface WatchOptions {
  readonly signal: AbortSignal;
}

/** One stored value and where it stands in the store's history. */
export interface StoreEntry {
  readonly key: string;
  readonly value: string;
  /** Revision that created the key (etcd `create_revision`). */
  readonly createRevision: Revision;
  /** Revision of the last write (etcd `mod_revision`). */
  readonly modRevision: Revision;
}

export interface Listing {
  readonly entries: readonly StoreEntry[];
  readonly revision: Revision;
}

export interface PutResult {
  /** Revision of this write. */
  readonly revision: Revision;
  /** What the key held before; absent when the key is new. */
  readonly previous: StoreEntry | undefined;
}

export interface DeleteResult {
  readonly revision: Revision;
  readonly deleted: StoreEntry | undefined;
}

/** The changes of one store transaction. */
export interface WatchBatch {
  readonly revision: Revision;
  readonly events: readonly StoreEvent[];
}

export type StoreEvent =
  | { readonly type: "put"; readonly entry: StoreEntry }
  | { readonly type: "delete"; readonly key: string; readonly revision: Revision };
