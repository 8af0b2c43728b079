import ipaddr from "ipaddr.js";
import type { MatchInput, RouterKind, RouteSpec } from "../router.ts";

/** What the naive router finds. */
export interface NaiveMatch {
  readonly value: string;
  readonly uri: string;
}

interface Entry {
  readonly route: RouteSpec<string>;
  readonly uri: string;
  readonly host: string | undefined;
  readonly literal: string;
  readonly isExact: boolean;
  readonly regex: RegExp;
}

/**
 * The rules of routing once more, written for reading only: every route is tried against every request, patterns are
 * regular expressions, and the winner is the first after sorting. The contract compares routers with it.
 */
export function matchNaively(
  kind: RouterKind,
  routes: readonly RouteSpec<string>[],
  input: MatchInput,
): NaiveMatch | undefined {
  const entries = routes.flatMap((route) => entriesOf(kind, route)).filter((entry) => accepts(entry, input));
  entries.sort((left, right) => byHost(left, right) || byPath(left, right));
  const [winner] = entries;
  return winner === undefined ? undefined : { value: winner.route.value, uri: winner.uri };
}

function entriesOf(kind: RouterKind, route: RouteSpec<string>): Entry[] {
  const hosts = kind === "radixtree_host_uri" && route.hosts.length > 0 ? route.hosts : [undefined];
  return route.uris.flatMap((uri) => {
    const source = uri
      .split("/")
      .map((segment) => segmentSource(segment, kind))
      .join("/");
    const dynamic = kind === "radixtree_uri_with_parameter" ? /\*|(?<=\/):/ : /\*/;
    const at = uri.search(dynamic);
    const literal = at < 0 ? uri : uri.slice(0, at);
    const regex = new RegExp(`^${source}$`);
    return hosts.map((host) => ({ route, uri, host, literal, isExact: at < 0, regex }));
  });
}

function segmentSource(segment: string, kind: RouterKind): string {
  if (segment.startsWith("*")) return "([^]*)";
  if (kind === "radixtree_uri_with_parameter" && segment.startsWith(":")) return "([^/]+)";
  return segment
    .split("*")
    .map((text) => text.replace(/\W/g, "\\$&"))
    .join("[^]*");
}

function accepts({ route, host, regex }: Entry, input: MatchInput): boolean {
  const hosts = host === undefined ? route.hosts : [host];
  return (
    regex.test(input.path) &&
    (!route.methods?.length || route.methods.includes(input.method)) &&
    (!route.remoteAddrs?.length || route.remoteAddrs.some((range) => isInside(input.remoteAddress, range))) &&
    (hosts.length === 0 || hosts.some((pattern) => hostFits(pattern, input.host))) &&
    (route.vars === undefined || route.vars.evaluate(input.variables))
  );
}

function isInside(address: string, range: string): boolean {
  const parsed = ipaddr.process(address);
  const [network, bits] = ipaddr.parseCIDR(range);
  return parsed.kind() === network.kind() && parsed.match(network, bits);
}

function hostFits(pattern: string, host: string): boolean {
  return pattern.startsWith("*") ? host.endsWith(pattern.slice(1)) : host === pattern;
}

/** Exact hosts, wildcards from long to short, no host. */
function byHost(left: Entry, right: Entry): number {
  return hostRank(right.host) - hostRank(left.host);
}

function hostRank(host: string | undefined): number {
  if (host === undefined) return -1;
  return host.startsWith("*") ? host.length : Number.POSITIVE_INFINITY;
}

function byPath(left: Entry, right: Entry): number {
  return (
    Number(right.isExact) - Number(left.isExact) ||
    right.literal.length - left.literal.length ||
    right.route.priority - left.route.priority ||
    right.uri.length - left.uri.length ||
    (left.route.id < right.route.id ? -1 : Number(left.route.id > right.route.id)) ||
    (left.uri < right.uri ? -1 : 1)
  );
}
