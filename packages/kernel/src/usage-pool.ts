/** A value out of a {@link UsagePool}; `release` may be called more than once, only the first counts. */
export interface Usage<TValue> {
  readonly value: TValue;
  release(): void;
}

interface Slot<TKey, TValue> {
  readonly key: TKey;
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
  readonly #slots = new Map<TKey, Slot<TKey, TValue>>();
  readonly #dispose: (value: TValue, key: TKey) => void;

  constructor(dispose: (value: TValue, key: TKey) => void) {
    this.#dispose = dispose;
  }

  /** The shared value of `key`, made by `create` when nobody uses it yet. */
  acquire(key: TKey, create: (key: TKey) => TValue): Usage<TValue> {
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = { key, value: create(key), users: 0 };
      this.#slots.set(key, slot);
    }
    slot.users += 1;
    return new SlotUsage(slot, this.#forget);
  }

  /** How many keys are in use. */
  get size(): number {
    return this.#slots.size;
  }

  /** The values in use, for status pages and shutdown. */
  *values(): IterableIterator<TValue> {
    for (const slot of this.#slots.values()) yield slot.value;
  }

  /** The last user is gone. */
  readonly #forget = ({ key, value }: Slot<TKey, TValue>): void => {
    this.#slots.delete(key);
    this.#dispose(value, key);
  };
}

/** There are as many as endpoints in the configuration, hence a class: closures would take three times the memory. */
class SlotUsage<TKey, TValue> implements Usage<TValue> {
  readonly value: TValue;
  #slot: Slot<TKey, TValue> | undefined;
  readonly #onLast: (slot: Slot<TKey, TValue>) => void;

  constructor(slot: Slot<TKey, TValue>, onLast: (slot: Slot<TKey, TValue>) => void) {
    this.value = slot.value;
    this.#slot = slot;
    this.#onLast = onLast;
  }

  release(): void {
    const slot = this.#slot;
    if (slot === undefined) return;
    this.#slot = undefined;
    slot.users -= 1;
    if (slot.users === 0) this.#onLast(slot);
  }
}
