import type { CompiledExpression, VariableLookup } from "./expr/expression.ts";

/** How a router orders host against path; APISIX's `apisix.router.http`. */
export type RouterKind = "radixtree_host_uri" | "radixtree_uri" | "radixtree_uri_with_parameter";

/** What selects a route, and the value a match returns. Plain data, built once per route object. */
export interface RouteSpec<TValue> {
  /** Breaks ties: among otherwise equal routes the smaller id (by code unit) wins. */
  readonly id: string;
  /** URI patterns: exact, `…*` prefix, `*` inside; see compat routing.md section 3. */
  readonly uris: readonly string[];
  /** Lower-case host patterns (`a.com`, `*.a.com`, `*`); empty: any host. */
  readonly hosts: readonly string[];
  /** Methods the route takes; absent or empty: any. */
  readonly methods?: readonly string[];
  /** Addresses and CIDR ranges of clients; absent or empty: any. */
  readonly remoteAddrs?: readonly string[];
  /** Compiled `vars`. */
  readonly vars?: CompiledExpression;
  /** Larger wins among routes of the same path group. */
  readonly priority: number;
  readonly value: TValue;
}

/** One request, as far as routing looks at it. */
export interface MatchInput {
  readonly method: string;
  /** Decoded, normalised path as a byte string: one character per byte (latin1). */
  readonly path: string;
  /** Lower-case host without port and trailing dot; `_` when the request named none. */
  readonly host: string;
  /** IP address of the client. */
  readonly remoteAddress: string;
  /** Values for `vars`; asked only when a candidate has an expression. */
  readonly variables: VariableLookup;
}

/** The chosen route. */
export interface Match<TValue> {
  readonly value: TValue;
  /** The URI pattern that matched (APISIX's `matched_uri`). */
  readonly uri: string;
  /** The host pattern that matched; empty when the route names no host (APISIX's `matched_host`). */
  readonly host: string;
  /** What a whole-segment `*` covered (APISIX's `:ext`); absent when the pattern has none. */
  readonly remainder: string | undefined;
  /** Named parameters; absent when the pattern has none. */
  readonly params: Readonly<Record<string, string>> | undefined;
}

/** One changed route: `previous` is what was added before, `next` what holds from now on. */
export interface RouterChange<TValue> {
  readonly previous?: RouteSpec<TValue> | undefined;
  readonly next?: RouteSpec<TValue> | undefined;
}

/**
 * An immutable router. {@link Router.with} returns a new one that shares every untouched node with this one, so a
 * change among 100,000 routes costs the depth of its path and requests in flight keep the router they started with.
 */
export interface Router<TValue> {
  match(input: MatchInput): Match<TValue> | undefined;
  with(changes: Iterable<RouterChange<TValue>>): Router<TValue>;
  /** Begins changes that come in several steps and that nobody sees before the last one. */
  draft(): RouterDraft<TValue>;
  /** Number of routes. */
  readonly size: number;
}

/** A router in the making: what one step made, the next may change in place, so that many cost less than alone. */
export interface RouterDraft<TValue> {
  /** Raises what {@link Router.with} raises; the changes before the one that cannot be made stay made. */
  apply(changes: Iterable<RouterChange<TValue>>): void;
  /** The router with everything applied so far, which later steps leave as it is. */
  done(): Router<TValue>;
}
