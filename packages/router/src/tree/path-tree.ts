import type { Candidate } from "../candidate/candidate.ts";
import type { CandidateGroup } from "../candidate/candidate-group.ts";
import type { Placed } from "../candidate/facets.ts";
import type { ParsedUri } from "../pattern/pattern.ts";
import type { Match, MatchInput } from "../router.ts";
import { editTree } from "./edit-tree.ts";
import { prefixesAbove, type RadixNode, runsThrough, stepDown } from "./radix-node.ts";

/** Routes by path: exact paths in the `exact` slots, dynamic patterns in the `prefix` slots of their literal text. */
export type PathTree<TValue> = RadixNode<CandidateGroup<TValue>>;

/**
 * The best route of a tree for the path: exact ones first, then by longest literal prefix; a group none of whose
 * candidates take the request is passed over. Source: APISIX routing, "Order by path".
 */
export function matchPath<TValue>(root: PathTree<TValue>, input: MatchInput): Match<TValue> | undefined {
  const { path } = input;
  let node = runsThrough(root, path, 0) ? root : undefined;
  let deepest: PathTree<TValue> | undefined;
  while (node !== undefined) {
    if (node.prefix !== undefined) deepest = node;
    if (node.end === path.length) break;
    node = stepDown(node, path);
  }
  const match = node?.exact?.pick(input) ?? deepest?.prefix?.pick(input);
  return match === undefined && deepest !== undefined ? matchAbove(root, deepest, input) : match;
}

/** Goes on to less specific places. Only such a request pays for the list of them. */
function matchAbove<TValue>(
  root: PathTree<TValue>,
  deepest: PathTree<TValue>,
  input: MatchInput,
): Match<TValue> | undefined {
  const outer = prefixesAbove(root, deepest);
  for (let index = outer.length - 1; index >= 0; index -= 1) {
    const match = outer[index]?.prefix?.pick(input);
    if (match !== undefined) return match;
  }
  return undefined;
}

/** One route's place in a path tree: added with a candidate, taken away with its rank and what it was sorted by. */
export interface PathEdit<TValue> {
  readonly uri: ParsedUri;
  readonly owner: number;
  readonly add?: Candidate<TValue>;
  readonly remove?: Placed;
}

/** The tree after one edit; the very same when nothing changed, `undefined` when nothing is left. */
export function editPathTree<TValue>(
  root: PathTree<TValue> | undefined,
  { uri, owner, add, remove }: PathEdit<TValue>,
): PathTree<TValue> | undefined {
  return editTree(root, {
    text: uri.text,
    keyLength: uri.literalLength,
    slot: uri.isDynamic ? "prefix" : "exact",
    owner,
    change: (group) => {
      const edit = { owner, level: 0 };
      const rest = remove === undefined ? group : group?.remove(remove, edit);
      if (add === undefined) return rest;
      return rest === undefined ? add : rest.insert(add, edit);
    },
  });
}
