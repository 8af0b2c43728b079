import type { Match, MatchInput } from "../router.ts";
import type { Candidate } from "./candidate.ts";
import type { Ranked } from "./ranking.ts";

/** The routes of one place in the tree, best first. Immutable. */
export interface CandidateGroup<TValue> {
  /** The first candidate that takes the request. */
  pick(input: MatchInput): Match<TValue> | undefined;
  /** The group with one more; a candidate of the same rank is replaced. `owner` as in the tree's edits. */
  insert(candidate: Candidate<TValue>, owner: number): CandidateGroup<TValue>;
  /** The group without the candidate of that rank, if there is one; `undefined` when nothing is left. */
  remove(ranked: Ranked, owner: number): CandidateGroup<TValue> | undefined;
}
