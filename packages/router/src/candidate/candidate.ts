import type { Constraint } from "../constraints/constraint.ts";
import type { HostPatterns } from "../constraints/host-patterns.ts";
import type { Captures, Pattern } from "../pattern/pattern.ts";
import type { Match, MatchInput, RouteSpec } from "../router.ts";
import type { CandidateGroup } from "./candidate-group.ts";
import { CandidateList } from "./candidate-list.ts";
import { compareRanks, type Ranked } from "./ranking.ts";

/** What a route needs to stand in a tree under one of its URIs. */
export interface CandidateParts<TValue> {
  readonly route: RouteSpec<TValue>;
  readonly uri: string;
  /** The host pattern, or the patterns to look it up in. */
  readonly host: string | HostPatterns;
  readonly pattern: Pattern | undefined;
  readonly constraints: readonly Constraint[];
}

const NO_CAPTURES: Captures = { remainder: undefined, params: undefined };

/** A route under one of its URIs: at the same time the group of one, which most groups are. */
export class Candidate<TValue> implements CandidateGroup<TValue>, Ranked {
  readonly id: string;
  readonly priority: number;
  readonly uri: string;
  // The route itself is not kept: one object less to touch on every match.
  readonly #value: TValue;
  readonly #host: string | HostPatterns;
  readonly #pattern: Pattern | undefined;
  readonly #constraints: readonly Constraint[];

  constructor({ route, uri, host, pattern, constraints }: CandidateParts<TValue>) {
    this.id = route.id;
    this.priority = route.priority;
    this.uri = uri;
    this.#value = route.value;
    this.#host = host;
    this.#pattern = pattern;
    this.#constraints = constraints;
  }

  pick(input: MatchInput): Match<TValue> | undefined {
    const constraints = this.#constraints;
    for (let index = 0; index < constraints.length; index += 1) {
      if (!(constraints[index] as Constraint).admits(input)) return undefined;
    }
    const captures = this.#pattern === undefined ? NO_CAPTURES : this.#pattern.capture(input.path);
    if (captures === undefined) return undefined;
    return {
      value: this.#value,
      uri: this.uri,
      host: typeof this.#host === "string" ? this.#host : (this.#host.patternOf(input) ?? ""),
      remainder: captures.remainder,
      params: captures.params,
    };
  }

  insert(candidate: Candidate<TValue>): CandidateGroup<TValue> {
    const order = compareRanks(this, candidate);
    if (order === 0) return candidate;
    return new CandidateList(order < 0 ? [this, candidate] : [candidate, this]);
  }

  remove(ranked: Ranked): CandidateGroup<TValue> | undefined {
    return compareRanks(this, ranked) === 0 ? undefined : this;
  }
}
