import { GatewayError, messageOf } from "@fngate/kernel";
import type { MatchInput, RouteSpec } from "../router.ts";
import type { Constraint, ConstraintStrategy } from "./constraint.ts";
import { methodsStrategy } from "./methods.ts";
import { remoteAddrsStrategy } from "./remote-addrs.ts";

/**
 * Every strategy, in the order in which a candidate is tested; hosts and `vars` come after them. Source: APISIX
 * routing, "Order of tests".
 */
const STRATEGIES: readonly ConstraintStrategy[] = [methodsStrategy, remoteAddrsStrategy];

/** Several constraints that must all hold. */
class AllOf implements Constraint {
  readonly #constraints: readonly Constraint[];

  constructor(constraints: readonly Constraint[]) {
    this.#constraints = constraints;
  }

  admits(input: MatchInput): boolean {
    return this.#constraints.every((constraint) => constraint.admits(input));
  }
}

/**
 * Compiles what a route asks for beside path, host and `vars`; `undefined` when that is nothing. Raises
 * `ROUTER_PATTERN_INVALID`, with the route's id in the details.
 */
export function compileConstraints(route: RouteSpec<unknown>): Constraint | undefined {
  const constraints = STRATEGIES.flatMap((strategy) => compileOne(strategy, route) ?? []);
  return constraints.length > 1 ? new AllOf(constraints) : constraints[0];
}

function compileOne(strategy: ConstraintStrategy, route: RouteSpec<unknown>): Constraint | undefined {
  try {
    return strategy.compile(route);
  } catch (cause) {
    const message = `route "${route.id}" has invalid ${strategy.name}: ${messageOf(cause)}`;
    throw new GatewayError("ROUTER_PATTERN_INVALID", message, { cause, details: { routeId: route.id } });
  }
}
