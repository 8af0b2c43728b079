import type { Match, MatchInput } from "../router.ts";
import type { Candidate } from "./candidate.ts";
import type { CandidateGroup, GroupEdit } from "./candidate-group.ts";
import { CandidateIndex } from "./candidate-index.ts";
import { CandidateTree } from "./candidate-tree.ts";
import { FACETS } from "./facets.ts";
import { compareRanks, type Ranked } from "./ranking.ts";
import type { Search } from "./search.ts";

/** Up to here trying and copying all costs little beside an index or a tree; chosen from the change bench. */
const LONGEST_LIST = 32;

/** A few candidates in one sorted array. */
export class CandidateList<TValue> implements CandidateGroup<TValue> {
  readonly #candidates: readonly Candidate<TValue>[];

  /** Takes candidates that are sorted already. */
  constructor(candidates: readonly Candidate<TValue>[]) {
    this.#candidates = candidates;
  }

  pick(input: MatchInput): Match<TValue> | undefined {
    const candidates = this.#candidates;
    for (let index = 0; index < candidates.length; index += 1) {
      const match = (candidates[index] as Candidate<TValue>).pick(input);
      if (match !== undefined) return match;
    }
    return undefined;
  }

  search(input: MatchInput, search: Search<TValue>): void {
    for (const candidate of this.#candidates) {
      if (search.endsAt(candidate, input)) return;
    }
  }

  insert(candidate: Candidate<TValue>, edit: GroupEdit): CandidateGroup<TValue> {
    const at = this.#placeOf(candidate);
    if (this.#isAt(at, candidate)) return new CandidateList(this.#candidates.with(at, candidate));
    if (this.#candidates.length < LONGEST_LIST) return new CandidateList(this.#candidates.toSpliced(at, 0, candidate));
    const kind = edit.level < FACETS.length ? CandidateIndex : CandidateTree;
    return kind.of(this.#candidates, edit).insert(candidate, edit);
  }

  remove(ranked: Ranked): CandidateGroup<TValue> | undefined {
    const at = this.#placeOf(ranked);
    if (!this.#isAt(at, ranked)) return this;
    const rest = this.#candidates.toSpliced(at, 1);
    return rest.length === 1 ? rest[0] : new CandidateList(rest);
  }

  #placeOf(ranked: Ranked): number {
    const at = this.#candidates.findIndex((candidate) => compareRanks(candidate, ranked) >= 0);
    return at < 0 ? this.#candidates.length : at;
  }

  #isAt(at: number, ranked: Ranked): boolean {
    const found = this.#candidates[at];
    return found !== undefined && compareRanks(found, ranked) === 0;
  }
}
