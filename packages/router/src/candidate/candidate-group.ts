import type { Match, MatchInput } from "../router.ts";
import type { Candidate } from "./candidate.ts";
import type { Placed } from "./facets.ts";
import type { Search } from "./search.ts";

/** What the edits of a group are made under. */
export interface GroupEdit {
  /** As in the tree's edits. */
  readonly owner: number;
  /** How many facets of its candidates the groups around this one are sorted by already. */
  readonly level: number;
}

/** The routes of one place in the tree, best first. Immutable. */
export interface CandidateGroup<TValue> {
  /** The first candidate that takes the request. */
  pick(input: MatchInput): Match<TValue> | undefined;
  /** Takes part in a search among several groups. */
  search(input: MatchInput, search: Search<TValue>): void;
  /** The group with one more; a candidate of the same rank is replaced. */
  insert(candidate: Candidate<TValue>, edit: GroupEdit): CandidateGroup<TValue>;
  /** The group without the candidate of that place, if there is one; `undefined` when nothing is left. */
  remove(placed: Placed, edit: GroupEdit): CandidateGroup<TValue> | undefined;
}
