export type { Match, MatchInput, Router, RouterChange, RouterKind, RouteSpec } from "./router.ts";
