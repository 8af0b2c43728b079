/** How much of a {@link BoundedMap} an entry takes up; it must be the same each time. */
export type Weigh<TKey> = (key: TKey) => number;

/** A map that forgets the entries that were touched longest ago when there are too many, or they weigh too much. */
export class BoundedMap<TKey, TValue> {
  readonly #entries = new Map<TKey, TValue>();
  readonly #maxWeight: number;
  readonly #weigh: Weigh<TKey>;
  #weight = 0;
  /** What was touched last, which is often what is touched next; moving it to the end again would be for nothing. */
  #newest: TKey | undefined = undefined;

  /** @param weigh default: every entry weighs 1, so that `maxWeight` is a number of entries */
  constructor(maxWeight: number, weigh: Weigh<TKey> = () => 1) {
    this.#maxWeight = maxWeight;
    this.#weigh = weigh;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Of all entries together. */
  get weight(): number {
    return this.#weight;
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

  /** An entry that alone weighs too much is not kept. */
  set(key: TKey, value: TValue): void {
    if (!this.#entries.delete(key)) this.#weight += this.#weigh(key);
    this.#entries.set(key, value);
    this.#newest = key;
    if (this.#weight > this.#maxWeight) this.#shrink();
  }

  delete(key: TKey): void {
    if (this.#entries.delete(key)) this.#weight -= this.#weigh(key);
    if (key === this.#newest) this.#newest = undefined;
  }

  #shrink(): void {
    for (const oldest of this.#entries.keys()) {
      this.delete(oldest);
      if (this.#weight <= this.#maxWeight) return;
    }
  }
}
