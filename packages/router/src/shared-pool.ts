/** Enough for what a configuration repeats; texts of an address or a pattern, with room. */
const MOST_SHARED = 4096;
const LONGEST_KEY = 512;

/**
 * Values that many routes have alike, by a text that tells them apart: one object for all of them takes less memory
 * and, above all, stays in the processor's cache. What does not repeat passes through; a full pool starts anew.
 */
export class SharedPool<TValue> {
  readonly #values = new Map<string, TValue>();

  /** The value of that key, made if it is not there. */
  take(key: string, make: () => TValue): TValue {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const made = make();
    if (key.length > LONGEST_KEY) return made;
    if (this.#values.size === MOST_SHARED) this.#values.clear();
    this.#values.set(key, made);
    return made;
  }
}
