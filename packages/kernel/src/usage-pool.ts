/** A value out of a {@link UsagePool}; `release` may be called more than once, only the first counts. */
export interface Usage<TValue> {
  readonly value: TValue;
  release(): void;
}

interface Slot<TValue> {
  readonly value: TValue;
  users: number;
}

/**
 * Reference-counted values by key: what must outlive a reload (connection pools, health state, counters).
 *
 * A new snapshot acquires before the old one releases, so an unchanged key keeps its value; the value is
 * disposed when its last user releases it. The idea is caddy's `UsagePool`.
 */
export class UsagePool<TKey, TValue> {
  readonly #slots = new Map<TKey, Slot<TValue>>();
  readonly #dispose: (value: TValue, key: TKey) => void;

  constructor(dispose: (value: TValue, key: TKey) => void) {
    this.#dispose = dispose;
  }

  /** The shared value of `key`, made by `create` when nobody uses it yet. */
  acquire(key: TKey, create: (key: TKey) => TValue): Usage<TValue> {
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = { value: create(key), users: 0 };
      this.#slots.set(key, slot);
    }
    slot.users += 1;
    return this.#usageOf(key, slot);
  }

  /** How many keys are in use. */
  get size(): number {
    return this.#slots.size;
  }

  /** The values in use, for status pages and shutdown. */
  *values(): IterableIterator<TValue> {
    for (const slot of this.#slots.values()) yield slot.value;
  }

  #usageOf(key: TKey, slot: Slot<TValue>): Usage<TValue> {
    let held = true;
    return {
      value: slot.value,
      release: () => {
        if (!held) return;
        held = false;
        slot.users -= 1;
        if (slot.users > 0) return;
        this.#slots.delete(key);
        this.#dispose(slot.value, key);
      },
    };
  }
}
