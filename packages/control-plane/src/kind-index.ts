import { compareRevisions, type StoreEntry } from "@fngate/store";
import { SortedList } from "./sorted-list.ts";

/** The store's entries of one kind, in the two orders that lists come in. */
export class KindIndex {
  readonly #byKey: SortedList<StoreEntry>;
  readonly #byCreation: SortedList<StoreEntry>;
  readonly #held: Map<string, StoreEntry>;

  constructor(entries: readonly StoreEntry[] = []) {
    this.#byKey = new SortedList(compareKeys, entries);
    this.#byCreation = new SortedList(compareCreation, entries);
    this.#held = new Map(entries.map((entry) => [entry.key, entry]));
  }

  get(key: string): StoreEntry | undefined {
    return this.#held.get(key);
  }

  set(entry: StoreEntry): void {
    this.delete(entry.key);
    this.#held.set(entry.key, entry);
    this.#byKey.set(entry);
    this.#byCreation.set(entry);
  }

  delete(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#byKey.delete(held);
    this.#byCreation.delete(held);
  }

  /** All of them, by key in byte order; valid until the next change. */
  get byKey(): readonly StoreEntry[] {
    return this.#byKey.items;
  }

  /** All of them, oldest first; valid until the next change. */
  get byCreation(): readonly StoreEntry[] {
    return this.#byCreation.items;
  }

  /** Those whose key starts with a prefix, by key; found without a look at the others. */
  startingWith(prefix: string): readonly StoreEntry[] {
    const start = this.#byKey.firstNotBefore(({ key }) => key < prefix);
    const end = this.#byKey.firstNotBefore(({ key }) => key < prefix || key.startsWith(prefix));
    return this.#byKey.items.slice(start, end);
  }
}

/** Oldest first; entries of one transaction by key. */
export function compareCreation(left: StoreEntry, right: StoreEntry): number {
  return compareRevisions(left.createRevision, right.createRevision) || compareKeys(left, right);
}

function compareKeys(left: StoreEntry, right: StoreEntry): number {
  return left.key < right.key ? -1 : left.key > right.key ? 1 : 0;
}
