import { GatewayError, messageOf } from "@fngate/kernel";
import type { RouteSpec } from "../router.ts";
import type { Constraint, ConstraintStrategy } from "./constraint.ts";
import { hostsStrategy } from "./hosts.ts";
import { methodsStrategy } from "./methods.ts";
import { remoteAddrsStrategy } from "./remote-addrs.ts";
import { varsStrategy } from "./vars.ts";

/** Every strategy, in the order in which a candidate is tested. Source: APISIX routing, "Order of tests". */
const STRATEGIES: readonly ConstraintStrategy[] = [methodsStrategy, remoteAddrsStrategy, hostsStrategy, varsStrategy];

/** The list of all routes without constraints. */
const NO_CONSTRAINTS: readonly Constraint[] = Object.freeze([]);

/**
 * Compiles what a route asks for beside its path. `isHostFiltered` tells whether its hosts are among that, or have
 * already chosen the tree. Raises `ROUTER_PATTERN_INVALID`, with the route's id in the details.
 */
export function compileConstraints(route: RouteSpec<unknown>, isHostFiltered: boolean): readonly Constraint[] {
  let constraints: Constraint[] | undefined;
  for (const strategy of STRATEGIES) {
    if (strategy === hostsStrategy && !isHostFiltered) continue;
    const constraint = compileOne(strategy, route);
    if (constraint === undefined) continue;
    constraints ??= [];
    constraints.push(constraint);
  }
  return constraints ?? NO_CONSTRAINTS;
}

function compileOne(strategy: ConstraintStrategy, route: RouteSpec<unknown>): Constraint | undefined {
  try {
    return strategy.compile(route);
  } catch (cause) {
    const message = `route "${route.id}" has invalid ${strategy.name}: ${messageOf(cause)}`;
    throw new GatewayError("ROUTER_PATTERN_INVALID", message, { cause, details: { routeId: route.id } });
  }
}
