import type { Match, MatchInput } from "../router.ts";
import { editTree, type TreeEdit } from "../tree/edit-tree.ts";
import type { RadixNode } from "../tree/radix-node.ts";
import type { Candidate } from "./candidate.ts";
import type { CandidateGroup } from "./candidate-group.ts";
import { type Ranked, rankKey } from "./ranking.ts";

/**
 * Many candidates of one path (routes told apart by host, method or `vars` only), in a radix tree by rank: a change
 * costs the depth of the tree however many there are.
 */
export class CandidateTree<TValue> implements CandidateGroup<TValue> {
  readonly #root: RadixNode<Candidate<TValue>>;

  private constructor(root: RadixNode<Candidate<TValue>>) {
    this.#root = root;
  }

  /** Makes a tree of candidates in any order; at least one. */
  static of<TValue>(candidates: readonly Candidate<TValue>[], owner: number): CandidateTree<TValue> {
    let root: RadixNode<Candidate<TValue>> | undefined;
    for (const candidate of candidates) root = insertInto(root, candidate, owner);
    return new CandidateTree(root as RadixNode<Candidate<TValue>>);
  }

  pick(input: MatchInput): Match<TValue> | undefined {
    return pickIn(this.#root, input);
  }

  insert(candidate: Candidate<TValue>, owner: number): CandidateGroup<TValue> {
    const root = insertInto(this.#root, candidate, owner);
    return new CandidateTree(root);
  }

  remove(ranked: Ranked, owner: number): CandidateGroup<TValue> | undefined {
    const root = editTree(this.#root, { ...placeOf(ranked), owner, change: () => undefined });
    return root === undefined ? undefined : new CandidateTree(root);
  }
}

function insertInto<TValue>(
  root: RadixNode<Candidate<TValue>> | undefined,
  candidate: Candidate<TValue>,
  owner: number,
): RadixNode<Candidate<TValue>> {
  return editTree(root, { ...placeOf(candidate), owner, change: () => candidate }) as RadixNode<Candidate<TValue>>;
}

/** Visits the tree in the order of its keys. */
function pickIn<TValue>(node: RadixNode<Candidate<TValue>>, input: MatchInput): Match<TValue> | undefined {
  const own = node.exact?.pick(input);
  if (own !== undefined) return own;
  const children = node.children;
  for (let index = 0; index < children.length; index += 1) {
    const match = pickIn(children[index] as RadixNode<Candidate<TValue>>, input);
    if (match !== undefined) return match;
  }
  return undefined;
}

function placeOf(ranked: Ranked): Pick<TreeEdit<unknown>, "text" | "keyLength" | "slot"> {
  const text = rankKey(ranked);
  return { text, keyLength: text.length, slot: "exact" };
}
