import type { Match, MatchInput } from "../router.ts";
import { editTree } from "../tree/edit-tree.ts";
import type { RadixNode } from "../tree/radix-node.ts";
import type { Candidate } from "./candidate.ts";
import type { CandidateGroup, GroupEdit } from "./candidate-group.ts";
import { searchFacet } from "./facet-lookup.ts";
import { FACETS, type Facet, type FacetPlace, isSameFacet, type Placed } from "./facets.ts";
import { Search } from "./search.ts";

/** Variables and segment runs that one group is sorted by; every request is looked up by each of them. */
const MOST_PARTS = 8;

/** Groups by the texts of one facet. */
interface Part<TValue> {
  readonly facet: Facet;
  readonly root: RadixNode<CandidateGroup<TValue>>;
}

/**
 * Many candidates of one path that requests tell apart by host, by a variable or by segments behind a parameter: a request
 * sees those that may take it, however many there are beside.
 */
export class CandidateIndex<TValue> implements CandidateGroup<TValue> {
  readonly #parts: readonly Part<TValue>[];
  /** Candidates without the facet of this level, and those of parts that there was no room for. */
  readonly #rest: CandidateGroup<TValue> | undefined;

  private constructor(parts: readonly Part<TValue>[], rest: CandidateGroup<TValue> | undefined) {
    this.#parts = parts;
    this.#rest = rest;
  }

  /** Makes an index of at least one candidate; there has to be a facet for the level. */
  static of<TValue>(candidates: readonly Candidate<TValue>[], edit: GroupEdit): CandidateGroup<TValue> {
    let index: CandidateGroup<TValue> = new CandidateIndex<TValue>([], undefined);
    for (const candidate of candidates) index = index.insert(candidate, edit);
    return index;
  }

  pick(input: MatchInput): Match<TValue> | undefined {
    const search = new Search<TValue>();
    this.search(input, search);
    return search.match;
  }

  search(input: MatchInput, search: Search<TValue>): void {
    const parts = this.#parts;
    for (let index = 0; index < parts.length; index += 1) {
      const { facet, root } = parts[index] as Part<TValue>;
      searchFacet(facet, root, { input, search });
    }
    this.#rest?.search(input, search);
  }

  insert(candidate: Candidate<TValue>, edit: GroupEdit): CandidateGroup<TValue> {
    const place = FACETS[edit.level]?.(candidate);
    const inner = { owner: edit.owner, level: edit.level + 1 };
    const at = place === undefined ? -1 : this.#partOf(place);
    if (place === undefined || (at < 0 && this.#parts.length === MOST_PARTS)) {
      return new CandidateIndex(this.#parts, this.#rest?.insert(candidate, inner) ?? candidate);
    }
    const found = place.facet.kind === "variable" ? candidate.withoutCondition() : candidate;
    const change = (group: CandidateGroup<TValue> | undefined) => group?.insert(found, inner) ?? found;
    const root = editPart(this.#parts[at]?.root, place, { owner: edit.owner, change });
    return this.#withPart(at, place.facet, root);
  }

  remove(placed: Placed, edit: GroupEdit): CandidateGroup<TValue> | undefined {
    const { owner } = edit;
    let isThere = false;
    const change = (group: CandidateGroup<TValue> | undefined): CandidateGroup<TValue> | undefined => {
      const others = group?.remove(placed, { owner, level: edit.level + 1 });
      // Trees of the same edit change in place: only the group itself can tell.
      if (others !== group) isThere = true;
      return others;
    };
    const place = FACETS[edit.level]?.(placed);
    const at = place === undefined ? -1 : this.#partOf(place);
    if (place !== undefined && at >= 0) {
      const root = editPart(this.#parts[at]?.root, place, { owner, change });
      if (isThere) return this.#withPart(at, place.facet, root).#orNothing();
    }
    // A part that there is room for now had none when the candidate came.
    const rest = change(this.#rest);
    return isThere ? new CandidateIndex(this.#parts, rest).#orNothing() : this;
  }

  #partOf({ facet }: FacetPlace): number {
    return this.#parts.findIndex((part) => isSameFacet(part.facet, facet));
  }

  #withPart(at: number, facet: Facet, root: RadixNode<CandidateGroup<TValue>> | undefined): CandidateIndex<TValue> {
    const others = at < 0 ? this.#parts : this.#parts.toSpliced(at, 1);
    return new CandidateIndex(root === undefined ? others : [...others, { facet, root }], this.#rest);
  }

  #orNothing(): CandidateIndex<TValue> | undefined {
    return this.#parts.length === 0 && this.#rest === undefined ? undefined : this;
  }
}

interface PartEdit<TValue> {
  readonly owner: number;
  readonly change: (group: CandidateGroup<TValue> | undefined) => CandidateGroup<TValue> | undefined;
}

/** The part after a change of the groups at all keys of a candidate. */
function editPart<TValue>(
  root: RadixNode<CandidateGroup<TValue>> | undefined,
  { keys }: FacetPlace,
  { owner, change }: PartEdit<TValue>,
): RadixNode<CandidateGroup<TValue>> | undefined {
  let result = root;
  for (const { slot, text } of keys) {
    result = editTree(result, { text, keyLength: text.length, slot, owner, change });
  }
  return result;
}
