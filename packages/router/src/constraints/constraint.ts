import type { MatchInput, RouteSpec } from "../router.ts";

/** A condition of one route beside its path, compiled. */
export interface Constraint {
  admits(input: MatchInput): boolean;
}

/** Makes one kind of {@link Constraint}. */
export interface ConstraintStrategy {
  /** The field of {@link RouteSpec} it reads. */
  readonly name: keyof RouteSpec<unknown>;
  /** The route's constraint; `undefined` when the route has none, so that nothing is evaluated for it. */
  compile(route: RouteSpec<unknown>): Constraint | undefined;
}
