export { checkRoute, createRouter } from "./create-router.ts";
export type { Match, MatchInput, Router, RouterChange, RouterDraft, RouterKind, RouteSpec } from "./router.ts";
