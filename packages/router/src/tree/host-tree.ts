import type { Match, MatchInput } from "../router.ts";
import { backwards, endsAlong, stepBack } from "./backward.ts";
import { editTree } from "./edit-tree.ts";
import { matchPath, type PathTree } from "./path-tree.ts";
import { prefixesAbove, type RadixNode } from "./radix-node.ts";

/**
 * Path trees by host. Keys are hosts written backwards, so that a wildcard is a prefix: exact hosts are in the `exact`
 * slots, `*.a.com` and `*a.com` in the `prefix` slots of what follows their star.
 */
export type HostTree<TValue> = RadixNode<PathTree<TValue>>;

/**
 * The best route of the first host entry that has one for the path: the exact host, then wildcards from the longest
 * to `*`. Source: APISIX routing, "Order by host".
 */
export function matchHost<TValue>(root: HostTree<TValue>, input: MatchInput): Match<TValue> | undefined {
  const { host } = input;
  let node = endsAlong(root, host, 0) ? root : undefined;
  let deepest: HostTree<TValue> | undefined;
  while (node !== undefined) {
    if (node.prefix !== undefined) deepest = node;
    if (node.end === host.length) break;
    node = stepBack(node, host);
  }
  const match = matchEntry(node?.exact, input) ?? matchEntry(deepest?.prefix, input);
  return match === undefined && deepest !== undefined ? matchAbove(root, deepest, input) : match;
}

/** Goes on to shorter wildcards. */
function matchAbove<TValue>(
  root: HostTree<TValue>,
  deepest: HostTree<TValue>,
  input: MatchInput,
): Match<TValue> | undefined {
  const outer = prefixesAbove(root, deepest);
  for (let index = outer.length - 1; index >= 0; index -= 1) {
    const match = matchEntry(outer[index]?.prefix, input);
    if (match !== undefined) return match;
  }
  return undefined;
}

function matchEntry<TValue>(paths: PathTree<TValue> | undefined, input: MatchInput): Match<TValue> | undefined {
  return paths === undefined ? undefined : matchPath(paths, input);
}

/** A change of the path tree of one host pattern. */
export interface HostEdit<TValue> {
  /** An exact host, `*suffix` or `*`. */
  readonly host: string;
  readonly owner: number;
  change(paths: PathTree<TValue> | undefined): PathTree<TValue> | undefined;
}

/** The tree after one edit; the very same when nothing changed, `undefined` when nothing is left. */
export function editHostTree<TValue>(
  root: HostTree<TValue> | undefined,
  { host, owner, change }: HostEdit<TValue>,
): HostTree<TValue> | undefined {
  const isWildcard = host.startsWith("*");
  const text = backwards(isWildcard ? host.slice(1) : host);
  return editTree(root, { text, keyLength: text.length, slot: isWildcard ? "prefix" : "exact", owner, change });
}
