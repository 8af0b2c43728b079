import { compileConstraints } from "./constraints/compile-constraints.ts";
import { DIALECTS } from "./dialect.ts";
import type { Router, RouterKind, RouteSpec } from "./router.ts";
import { TreeRouter } from "./tree-router.ts";

/**
 * Creates an empty router of the given kind; fill it with {@link Router.with}.
 *
 * `with` raises `ROUTER_PATTERN_INVALID`, with `details.routeId`, for a route whose addresses cannot be read, and
 * leaves the router as it was; {@link checkRoute} finds such a route beforehand. Source: APISIX routing.
 */
export function createRouter<TValue>(kind: RouterKind): Router<TValue> {
  return new TreeRouter(DIALECTS[kind], { hosted: undefined, hostless: undefined }, 0);
}

/** Raises `ROUTER_PATTERN_INVALID` when no router could take the route, so that one bad route costs no other. */
export function checkRoute(route: RouteSpec<unknown>): void {
  compileConstraints(route);
}
