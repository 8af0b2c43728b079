import type { Candidate } from "../candidate/candidate.ts";
import type { CandidateGroup } from "../candidate/candidate-group.ts";
import type { Ranked } from "../candidate/ranking.ts";
import type { ParsedUri } from "../pattern/pattern.ts";
import type { Match, MatchInput } from "../router.ts";
import { editTree } from "./edit-tree.ts";
import { type RadixNode, runsThrough, stepDown } from "./radix-node.ts";

/** Routes by path: exact paths in the `exact` slots, dynamic patterns in the `prefix` slots of their literal text. */
export type PathTree<TValue> = RadixNode<CandidateGroup<TValue>>;

/**
 * The best route of a tree for the path: exact ones first, then by longest literal prefix; a group none of whose
 * candidates take the request is passed over. Source: APISIX routing, "Order by path".
 */
export function matchPath<TValue>(root: PathTree<TValue>, input: MatchInput): Match<TValue> | undefined {
  return runsThrough(root, input.path, 0) ? matchBelow(root, input) : undefined;
}

/** Recurses only at nodes with dynamic patterns, to come back to them when nothing longer matches. */
function matchBelow<TValue>(start: PathTree<TValue>, input: MatchInput): Match<TValue> | undefined {
  const { path } = input;
  let node = start;
  while (node.prefix === undefined) {
    if (node.end === path.length) return node.exact?.pick(input);
    const next = stepDown(node, path);
    if (next === undefined) return undefined;
    node = next;
  }
  return matchLonger(node, input) ?? node.prefix.pick(input);
}

function matchLonger<TValue>(node: PathTree<TValue>, input: MatchInput): Match<TValue> | undefined {
  if (node.end === input.path.length) return node.exact?.pick(input);
  const next = stepDown(node, input.path);
  return next === undefined ? undefined : matchBelow(next, input);
}

/** One route's place in a path tree: added with a candidate, taken away with its rank. */
export interface PathEdit<TValue> {
  readonly uri: ParsedUri;
  readonly owner: number;
  readonly add?: Candidate<TValue>;
  readonly remove?: Ranked;
}

/** The tree after one edit; the very same when nothing changed, `undefined` when nothing is left. */
export function editPathTree<TValue>(
  root: PathTree<TValue> | undefined,
  { uri, owner, add, remove }: PathEdit<TValue>,
): PathTree<TValue> | undefined {
  return editTree(root, {
    key: uri.literal,
    slot: uri.isDynamic ? "prefix" : "exact",
    owner,
    change: (group) => {
      const rest = remove === undefined ? group : group?.remove(remove, owner);
      if (add === undefined) return rest;
      return rest === undefined ? add : rest.insert(add, owner);
    },
  });
}
