import { compileExpression } from "../expr/compile-expression.ts";
import type { MatchInput, RouterKind, RouteSpec } from "../router.ts";

/** A route in short form; its value is its id. */
export interface RouteSketch {
  readonly id: string;
  /** One pattern or several. */
  readonly uri: string | readonly string[];
  readonly hosts?: readonly string[];
  readonly methods?: readonly string[];
  readonly remoteAddrs?: readonly string[];
  /** As in a route object, not compiled. */
  readonly vars?: unknown;
  readonly priority?: number;
}

/** A request in short form: a GET of `/` from 127.0.0.1 without host and variables, unless said otherwise. */
export interface RequestSketch {
  readonly path?: string;
  readonly host?: string;
  readonly method?: string;
  readonly remoteAddress?: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** What a case expects of the match; fields left out are not compared. */
export interface ExpectedMatch {
  readonly id: string;
  readonly uri?: string;
  readonly host?: string;
  readonly remainder?: string | undefined;
  readonly params?: Readonly<Record<string, string>> | undefined;
}

/** Routes and what becomes of requests to them. */
export interface RoutingCase {
  /** A sentence about behaviour. */
  readonly title: string;
  /** The kinds it holds for; absent: all. */
  readonly kinds?: readonly RouterKind[];
  readonly routes: readonly RouteSketch[];
  /** Requests (a text is a path) and the id or match expected; `undefined`: no route. */
  readonly requests: readonly (readonly [RequestSketch | string, ExpectedMatch | string | undefined])[];
}

/** The route a sketch stands for. */
export function routeOf(sketch: RouteSketch): RouteSpec<string> {
  const { id, uri, vars, hosts = [], priority = 0, methods = [], remoteAddrs = [] } = sketch;
  const uris = typeof uri === "string" ? [uri] : uri;
  const route = { id, uris, hosts, priority, methods, remoteAddrs, value: id };
  return vars === undefined ? route : { ...route, vars: compileExpression(vars) };
}

/** The request a sketch stands for. */
export function inputOf(sketch: RequestSketch | string): MatchInput {
  const {
    path = "/",
    host = "_",
    method = "GET",
    remoteAddress = "127.0.0.1",
    variables = {},
  } = typeof sketch === "string" ? { path: sketch } : sketch;
  return { path, host, method, remoteAddress, variables: { get: (name) => variables[name] } };
}
