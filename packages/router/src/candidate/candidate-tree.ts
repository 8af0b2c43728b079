import type { Match, MatchInput } from "../router.ts";
import { editTree, type TreeEdit } from "../tree/edit-tree.ts";
import type { RadixNode } from "../tree/radix-node.ts";
import type { Candidate } from "./candidate.ts";
import type { CandidateGroup, GroupEdit } from "./candidate-group.ts";
import { type Ranked, rankKey } from "./ranking.ts";
import type { Search } from "./search.ts";

/**
 * Many candidates of one path that nothing tells apart which they could be looked up by (methods, addresses, conditions
 * other than a text), in a radix tree by rank: a change costs the depth of the tree however many there are.
 */
export class CandidateTree<TValue> implements CandidateGroup<TValue> {
  readonly #root: RadixNode<Candidate<TValue>>;

  private constructor(root: RadixNode<Candidate<TValue>>) {
    this.#root = root;
  }

  /** Makes a tree of candidates in any order; at least one. */
  static of<TValue>(candidates: readonly Candidate<TValue>[], { owner }: GroupEdit): CandidateGroup<TValue> {
    let root: RadixNode<Candidate<TValue>> | undefined;
    for (const candidate of candidates) root = insertInto(root, candidate, owner);
    return new CandidateTree(root as RadixNode<Candidate<TValue>>);
  }

  pick(input: MatchInput): Match<TValue> | undefined {
    return pickIn(this.#root, input);
  }

  search(input: MatchInput, search: Search<TValue>): void {
    searchIn(this.#root, input, search);
  }

  insert(candidate: Candidate<TValue>, { owner }: GroupEdit): CandidateGroup<TValue> {
    const root = insertInto(this.#root, candidate, owner);
    return new CandidateTree(root);
  }

  remove(ranked: Ranked, { owner }: GroupEdit): CandidateGroup<TValue> | undefined {
    let isThere = false;
    const change = (candidate: Candidate<TValue> | undefined): undefined => {
      isThere = candidate !== undefined;
    };
    const root = editTree(this.#root, { ...placeOf(ranked), owner, change });
    if (!isThere) return this;
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

/** As {@link pickIn}; true when the search is over. */
function searchIn<TValue>(node: RadixNode<Candidate<TValue>>, input: MatchInput, search: Search<TValue>): boolean {
  if (node.exact !== undefined && search.endsAt(node.exact, input)) return true;
  return node.children.some((child) => searchIn(child, input, search));
}

function placeOf(ranked: Ranked): Pick<TreeEdit<unknown>, "text" | "keyLength" | "slot"> {
  const text = rankKey(ranked);
  return { text, keyLength: text.length, slot: "exact" };
}
