/** A list that is kept in order while items come and go; items that compare as equal replace each other. */
export class SortedList<TItem> {
  readonly #compare: (left: TItem, right: TItem) => number;
  #items: TItem[];

  constructor(compare: (left: TItem, right: TItem) => number, items: readonly TItem[] = []) {
    this.#compare = compare;
    this.#items = items.toSorted(compare);
  }

  /** Valid until the next change. */
  get items(): readonly TItem[] {
    return this.#items;
  }

  set(item: TItem): void {
    const position = this.firstNotBefore((held) => this.#compare(held, item) < 0);
    const held = this.#items[position];
    const isKnown = held !== undefined && this.#compare(held, item) === 0;
    this.#items.splice(position, isKnown ? 1 : 0, item);
  }

  delete(item: TItem): void {
    const position = this.firstNotBefore((held) => this.#compare(held, item) < 0);
    const held = this.#items[position];
    if (held !== undefined && this.#compare(held, item) === 0) this.#items.splice(position, 1);
  }

  /** Position of the first item that is not `before` something; all that are stand at the front. */
  firstNotBefore(isBefore: (item: TItem) => boolean): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const item = this.#items[middle];
      if (item !== undefined && isBefore(item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
