export { checkRoute, createRouter } from "./create-router.ts";
export type { Match, MatchInput, Router, RouterChange, RouterKind, RouteSpec } from "./router.ts";
