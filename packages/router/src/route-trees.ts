import { Candidate } from "./candidate/candidate.ts";
import { compileConstraints } from "./constraints/compile-constraints.ts";
import { compileHostFilter } from "./constraints/host-filter.ts";
import type { Dialect } from "./dialect.ts";
import { parseUri } from "./pattern/parse-uri.ts";
import type { RouteSpec } from "./router.ts";
import { editHostTree, type HostTree } from "./tree/host-tree.ts";
import { editPathTree, type PathEdit, type PathTree } from "./tree/path-tree.ts";

/** Everything a router knows: two persistent trees. */
export interface RouteTrees<TValue> {
  /** Routes by host pattern; empty where hosts are constraints. */
  readonly hosted: HostTree<TValue> | undefined;
  readonly hostless: PathTree<TValue> | undefined;
}

/** One `with` under way. */
export interface Batch {
  readonly dialect: Dialect;
  readonly owner: number;
}

/** The trees with one more route. Raises `ROUTER_PATTERN_INVALID`. */
export function addRoute<TValue>(
  trees: RouteTrees<TValue>,
  route: RouteSpec<TValue>,
  { dialect, owner }: Batch,
): RouteTrees<TValue> {
  const constraint = compileConstraints(route);
  const filtered = filterHostsOf(route, dialect);
  const filter = filtered.length > 0 ? compileHostFilter(filtered) : "";
  let result = trees;
  for (const uri of route.uris) {
    const parsed = parseUri(uri, dialect.hasSegmentNames);
    for (const host of treeHosts(route, dialect)) {
      const add = new Candidate({ route, uri, host: host ?? filter, pattern: parsed.pattern, constraint });
      result = editPlace(result, host, { uri: parsed, owner, add });
    }
  }
  return result;
}

/** The trees without a route that was added before. */
export function removeRoute<TValue>(
  trees: RouteTrees<TValue>,
  route: RouteSpec<TValue>,
  { dialect, owner }: Batch,
): RouteTrees<TValue> {
  const filterHosts = filterHostsOf(route, dialect);
  const condition = route.vars?.necessary;
  let result = trees;
  for (const uri of route.uris) {
    const parsed = parseUri(uri, dialect.hasSegmentNames);
    const segments = parsed.pattern?.segmentsOf(uri);
    const remove = { id: route.id, priority: route.priority, uri, filterHosts, condition, segments };
    for (const host of treeHosts(route, dialect)) result = editPlace(result, host, { uri: parsed, owner, remove });
  }
  return result;
}

/** The host patterns that only filter: those of a route whose hosts choose no tree. */
function filterHostsOf(route: RouteSpec<unknown>, dialect: Dialect): readonly string[] {
  return dialect.isHostFirst ? [] : route.hosts;
}

const HOSTLESS: readonly undefined[] = [undefined];

/** The host patterns whose trees a route is in; `undefined` is the tree of routes without host. */
function treeHosts(route: RouteSpec<unknown>, dialect: Dialect): readonly (string | undefined)[] {
  return dialect.isHostFirst && route.hosts.length > 0 ? route.hosts : HOSTLESS;
}

function editPlace<TValue>(
  { hosted, hostless }: RouteTrees<TValue>,
  host: string | undefined,
  edit: PathEdit<TValue>,
): RouteTrees<TValue> {
  if (host === undefined) return { hosted, hostless: editPathTree(hostless, edit) };
  const change = (paths: PathTree<TValue> | undefined): PathTree<TValue> | undefined => editPathTree(paths, edit);
  return { hosted: editHostTree(hosted, { host, owner: edit.owner, change }), hostless };
}
