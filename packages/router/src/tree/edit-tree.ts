import { SharedPool } from "../shared-pool.ts";
import { RadixNode, runsThrough, slotOf } from "./radix-node.ts";

/** A change of what one key holds. */
export interface TreeEdit<TPayload> {
  readonly text: string;
  /** How much of the text is the key; cutting it off would leave one more text per node. */
  readonly keyLength: number;
  /** Which of the two slots of the key's node changes. */
  readonly slot: "exact" | "prefix";
  /** From {@link nextOwner}; nodes made under the same number are changed in place, all others are copied. */
  readonly owner: number;
  /** Gets what the slot holds and returns what it shall hold; `undefined` empties it. */
  change(payload: TPayload | undefined): TPayload | undefined;
}

let lastOwner = 0;

/** A number no node carries yet: opens a group of edits whose intermediate trees nobody sees. */
export function nextOwner(): number {
  lastOwner += 1;
  return lastOwner;
}

/**
 * The tree after one edit. Nodes off the key's path are shared with the old tree, which stays as it was unless its
 * nodes were made under the same owner. The result is `undefined` when nothing is left, and the very same node
 * when nothing changed.
 */
export function editTree<TPayload>(
  root: RadixNode<TPayload> | undefined,
  edit: TreeEdit<TPayload>,
): RadixNode<TPayload> | undefined {
  if (root === undefined) return createLeaf(edit);
  const trail = trailTo(root, edit);
  let before = trail.pop() as RadixNode<TPayload>;
  let after = editLast(before, trail.at(-1)?.end ?? 0, edit);
  while (after !== before) {
    const parent = trail.pop();
    if (parent === undefined) return after;
    before = parent;
    after = replaceChild(parent, after, edit);
  }
  return root;
}

/** Nodes from the root towards the key, the last one being where the edit takes place. A list, for a tree may be as deep as its keys are long. */
function trailTo<TPayload>(root: RadixNode<TPayload>, { text, keyLength }: TreeEdit<TPayload>): RadixNode<TPayload>[] {
  const trail = [root];
  let node: RadixNode<TPayload> | undefined = runsThrough(root, text, 0) ? root : undefined;
  while (node !== undefined && node.end < keyLength) {
    const slot = slotOf(node.labels, text.charCodeAt(node.end));
    const child: RadixNode<TPayload> | undefined = node.children[slot];
    if (child === undefined) break;
    trail.push(child);
    node = runsThrough(child, text, node.end + 1) ? child : undefined;
  }
  return trail;
}

/** The last node of the trail after the edit; its label starts at `start`. */
function editLast<TPayload>(
  node: RadixNode<TPayload>,
  start: number,
  edit: TreeEdit<TPayload>,
): RadixNode<TPayload> | undefined {
  const at = divergence(node, edit, start);
  if (at < node.end) return branchOff(node, at, edit);
  return at === edit.keyLength ? editSlot(node, edit) : addChild(node, edit);
}

/** Where the key leaves the node's label, at most the node's or the key's end. */
function divergence<TPayload>(
  node: RadixNode<TPayload>,
  { text, keyLength }: TreeEdit<TPayload>,
  start: number,
): number {
  const limit = Math.min(node.end, keyLength);
  let at = start;
  while (at < limit && node.key.charCodeAt(at) === text.charCodeAt(at)) at += 1;
  return at;
}

function createLeaf<TPayload>(edit: TreeEdit<TPayload>): RadixNode<TPayload> | undefined {
  const payload = edit.change(undefined);
  if (payload === undefined) return undefined;
  const leaf = new RadixNode<TPayload>(edit.text, edit.keyLength, edit.owner);
  leaf[edit.slot] = payload;
  return leaf;
}

/** Puts a new node where the key leaves the edge above `node`; `node` itself needs no change. */
function branchOff<TPayload>(node: RadixNode<TPayload>, at: number, edit: TreeEdit<TPayload>): RadixNode<TPayload> {
  const leaf = createLeaf(edit);
  if (leaf === undefined) return node;
  if (leaf.end === at) {
    setChildren(leaf, [node]);
    return leaf;
  }
  const branch = new RadixNode<TPayload>(edit.text, at, edit.owner);
  const isNodeFirst = node.key.charCodeAt(at) < leaf.key.charCodeAt(at);
  setChildren(branch, isNodeFirst ? [node, leaf] : [leaf, node]);
  return branch;
}

function editSlot<TPayload>(node: RadixNode<TPayload>, edit: TreeEdit<TPayload>): RadixNode<TPayload> | undefined {
  const payload = edit.change(node[edit.slot]);
  if (payload === node[edit.slot]) return node;
  const own = ownedBy(node, edit.owner);
  own[edit.slot] = payload;
  // So that the text of a route that is gone can be collected.
  own.key = edit.text;
  return tidy(own);
}

function addChild<TPayload>(node: RadixNode<TPayload>, edit: TreeEdit<TPayload>): RadixNode<TPayload> {
  const leaf = createLeaf(edit);
  if (leaf === undefined) return node;
  const own = ownedBy(node, edit.owner);
  const slot = ~slotOf(node.labels, edit.text.charCodeAt(node.end));
  setChildren(own, own.children.toSpliced(slot, 0, leaf));
  return own;
}

/** The parent of an edited child: with the child's new form, or without it. */
function replaceChild<TPayload>(
  node: RadixNode<TPayload>,
  child: RadixNode<TPayload> | undefined,
  edit: TreeEdit<TPayload>,
): RadixNode<TPayload> | undefined {
  const slot = slotOf(node.labels, edit.text.charCodeAt(node.end));
  const own = ownedBy(node, edit.owner);
  if (child === undefined) {
    setChildren(own, own.children.toSpliced(slot, 1));
    return tidy(own);
  }
  own.children = own.children.with(slot, child);
  return own;
}

function ownedBy<TPayload>(node: RadixNode<TPayload>, owner: number): RadixNode<TPayload> {
  if (node.owner === owner) return node;
  const copy = new RadixNode<TPayload>(node.key, node.end, owner);
  copy.labels = node.labels;
  copy.children = node.children;
  copy.exact = node.exact;
  copy.prefix = node.prefix;
  return copy;
}

function setChildren<TPayload>(node: RadixNode<TPayload>, children: readonly RadixNode<TPayload>[]): void {
  node.children = children;
  // Built from units, not by joining slices: those would keep every earlier version of the text alive.
  const labels = String.fromCharCode(...children.map((child) => child.key.charCodeAt(node.end)));
  node.labels = sharedLabels.take(labels, () => labels);
}

/** Many nodes have the same labels: digits, mostly. */
const sharedLabels = new SharedPool<string>();

/** Drops a node that holds nothing and leads nowhere, or only on to one other. */
function tidy<TPayload>(node: RadixNode<TPayload>): RadixNode<TPayload> | undefined {
  if (node.exact !== undefined || node.prefix !== undefined || node.children.length > 1) return node;
  return node.children[0];
}
