const NO_CHILDREN: readonly never[] = Object.freeze([]);

/**
 * One node of a persistent radix tree over strings, compared by code unit.
 *
 * A node keeps no string of its own: it points to some key that runs through it and says where it ends there, so
 * splitting an edge or joining two allocates no text and leaves the child as it is. Its label starts where its
 * parent ends.
 */
export class RadixNode<TPayload> {
  /** A key through this node; only its first {@link RadixNode.end} units mean something. */
  key: string;
  readonly end: number;
  /** First unit of each child's label, ascending; at the same index as the child. */
  labels = "";
  children: readonly RadixNode<TPayload>[] = NO_CHILDREN;
  /** What holds for the text that ends here. */
  exact: TPayload | undefined = undefined;
  /** What holds for every text that goes through here. */
  prefix: TPayload | undefined = undefined;
  /** The edit that made this node; only that edit may still change it. */
  readonly owner: number;

  constructor(key: string, end: number, owner: number) {
    this.key = key;
    this.end = end;
    this.owner = owner;
  }
}

/** Index of a child label, or the complement (`~`) of where it would have to be. */
export function slotOf(labels: string, unit: number): number {
  let low = 0;
  let high = labels.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = labels.charCodeAt(middle);
    if (found === unit) return middle;
    if (found < unit) low = middle + 1;
    else high = middle - 1;
  }
  return ~low;
}

/** Tells whether `text` goes through `node`, given that it does up to `from`. */
export function runsThrough<TPayload>(node: RadixNode<TPayload>, text: string, from: number): boolean {
  const { key, end } = node;
  if (text.length < end) return false;
  for (let index = from; index < end; index += 1) {
    if (key.charCodeAt(index) !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** The child that `text` goes on to after `node`, if it runs through it entirely. */
export function stepDown<TPayload>(node: RadixNode<TPayload>, text: string): RadixNode<TPayload> | undefined {
  const slot = slotOf(node.labels, text.charCodeAt(node.end));
  if (slot < 0) return undefined;
  const child = node.children[slot] as RadixNode<TPayload>;
  return runsThrough(child, text, node.end + 1) ? child : undefined;
}

/** The nodes with a prefix payload between the root and `last`, which is not among them; the deepest is last. */
export function prefixesAbove<TPayload>(root: RadixNode<TPayload>, last: RadixNode<TPayload>): RadixNode<TPayload>[] {
  const found: RadixNode<TPayload>[] = [];
  let node = root;
  while (node !== last) {
    if (node.prefix !== undefined) found.push(node);
    node = node.children[slotOf(node.labels, last.key.charCodeAt(node.end))] as RadixNode<TPayload>;
  }
  return found;
}
