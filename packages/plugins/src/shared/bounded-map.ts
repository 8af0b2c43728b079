/** A map that forgets the entry that was touched longest ago when there are too many. */
export class BoundedMap<TKey, TValue> {
  readonly #entries = new Map<TKey, TValue>();
  readonly #maxEntries: number;
  /** What was touched last, which is often what is touched next; moving it to the end again would be for nothing. */
  #newest: TKey | undefined = undefined;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Reads and touches. */
  get(key: TKey): TValue | undefined {
    const value = this.#entries.get(key);
    if (value === undefined || key === this.#newest) return value;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#newest = key;
    return value;
  }

  set(key: TKey, value: TValue): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#newest = key;
    if (this.#entries.size <= this.#maxEntries) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  delete(key: TKey): void {
    this.#entries.delete(key);
    if (key === this.#newest) this.#newest = undefined;
  }
}
