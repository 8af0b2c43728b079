/** An answer that is kept. */
export interface CachedAnswer {
  readonly status: number;
  /** Flat `[name, value, ...]`. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
  /** Wall-clock milliseconds since the epoch. */
  readonly storedAtMs: number;
  readonly ttlSeconds: number;
}

/** A value now, or soon. */
export type Eventual<TValue> = TValue | Promise<TValue>;

/**
 * Where answers are kept, by any text; bounded, so what was used longest ago goes. Nothing here looks at the time:
 * an answer that is too old is handed out like another. A store that fails behaves as if it held nothing.
 */
export interface CacheStore {
  get(key: string): Eventual<CachedAnswer | undefined>;
  set(key: string, answer: CachedAnswer): Eventual<void>;
  /** Tells whether there was something to delete. */
  delete(key: string): Eventual<boolean>;
}
