import type { Constraint } from "../constraints/constraint.ts";
import type { HostFilter } from "../constraints/host-filter.ts";
import type { CompiledExpression, TextCondition } from "../expr/expression.ts";
import type { Captures, Pattern } from "../pattern/pattern.ts";
import type { SegmentRun } from "../pattern/segment-run.ts";
import type { Match, MatchInput, RouteSpec } from "../router.ts";
import type { CandidateGroup } from "./candidate-group.ts";
import { CandidateList } from "./candidate-list.ts";
import type { Placed } from "./facets.ts";
import { compareRanks, type Ranked } from "./ranking.ts";
import type { Search } from "./search.ts";

/** What a route needs to stand in a tree under one of its URIs. */
export interface CandidateParts<TValue> {
  readonly route: Pick<RouteSpec<TValue>, "id" | "priority" | "value" | "vars">;
  readonly uri: string;
  /** The host pattern, or what tests and finds it. */
  readonly host: string | HostFilter;
  readonly pattern: Pattern | undefined;
  /** What is tested before host and `vars`. */
  readonly constraint: Constraint | undefined;
}

const NO_CAPTURES: Captures = { remainder: undefined, params: undefined };

const NO_HOSTS: readonly string[] = [];

/** A route under one of its URIs: at the same time the group of one, which most groups are. */
export class Candidate<TValue> implements CandidateGroup<TValue>, Placed {
  readonly id: string;
  readonly priority: number;
  readonly uri: string;
  // The route itself is not kept: one object less to touch on every match.
  readonly #value: TValue;
  readonly #host: string | HostFilter;
  readonly #pattern: Pattern | undefined;
  readonly #constraint: Constraint | undefined;
  readonly #vars: CompiledExpression | undefined;

  constructor({ route, uri, host, pattern, constraint }: CandidateParts<TValue>) {
    this.id = route.id;
    this.priority = route.priority;
    this.uri = uri;
    this.#value = route.value;
    this.#host = host;
    this.#pattern = pattern;
    this.#constraint = constraint;
    this.#vars = route.vars;
  }

  get filterHosts(): readonly string[] {
    return typeof this.#host === "string" ? NO_HOSTS : this.#host.texts;
  }

  get condition(): TextCondition | undefined {
    return this.#vars?.necessary;
  }

  /** As it is tried where its condition holds already: what need not be looked at need not be waited for. */
  withoutCondition(): Candidate<TValue> {
    const route = { id: this.id, priority: this.priority, value: this.#value };
    const remainder = this.#vars?.remainder;
    return new Candidate({
      route: remainder === undefined ? route : { ...route, vars: remainder },
      uri: this.uri,
      host: this.#host,
      pattern: this.#pattern,
      constraint: this.#constraint,
    });
  }

  get segments(): SegmentRun | undefined {
    return this.#pattern?.segmentsOf(this.uri);
  }

  pick(input: MatchInput): Match<TValue> | undefined {
    if (this.#constraint !== undefined && !this.#constraint.admits(input)) return undefined;
    const host = typeof this.#host === "string" ? this.#host : this.#host.patternOf(input);
    if (host === undefined) return undefined;
    if (this.#vars !== undefined && !this.#vars.evaluate(input.variables)) return undefined;
    const captures = this.#pattern === undefined ? NO_CAPTURES : this.#pattern.capture(input.path, this.uri);
    if (captures === undefined) return undefined;
    return { value: this.#value, uri: this.uri, host, remainder: captures.remainder, params: captures.params };
  }

  search(input: MatchInput, search: Search<TValue>): void {
    search.endsAt(this, input);
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
