import type { Match, MatchInput } from "../router.ts";
import type { Candidate } from "./candidate.ts";
import { compareRanks } from "./ranking.ts";

/** The best candidate that takes a request, looked for in several groups one after the other. */
export class Search<TValue> {
  match: Match<TValue> | undefined = undefined;
  #found: Candidate<TValue> | undefined = undefined;

  /** Whether the rest of a group, which comes after this candidate of it, need not be looked at. */
  endsAt(candidate: Candidate<TValue>, input: MatchInput): boolean {
    if (this.#found !== undefined && compareRanks(this.#found, candidate) <= 0) return true;
    const match = candidate.pick(input);
    if (match === undefined) return false;
    this.#found = candidate;
    this.match = match;
    return true;
  }
}
