import type { Dialect } from "./dialect.ts";
import { addRoute, type RouteTrees, removeRoute } from "./route-trees.ts";
import type { Match, MatchInput, Router, RouterChange } from "./router.ts";
import { nextOwner } from "./tree/edit-tree.ts";
import { matchHost } from "./tree/host-tree.ts";
import { matchPath } from "./tree/path-tree.ts";

/** The router of all kinds: where hosts are constraints, the host tree is simply empty. */
export class TreeRouter<TValue> implements Router<TValue> {
  readonly size: number;
  readonly #dialect: Dialect;
  readonly #trees: RouteTrees<TValue>;

  constructor(dialect: Dialect, trees: RouteTrees<TValue>, size: number) {
    this.#dialect = dialect;
    this.#trees = trees;
    this.size = size;
  }

  match(input: MatchInput): Match<TValue> | undefined {
    const { hosted, hostless } = this.#trees;
    if (hosted !== undefined) {
      const match = matchHost(hosted, input);
      if (match !== undefined) return match;
    }
    return hostless === undefined ? undefined : matchPath(hostless, input);
  }

  with(changes: Iterable<RouterChange<TValue>>): Router<TValue> {
    const batch = { dialect: this.#dialect, owner: nextOwner() };
    let trees = this.#trees;
    let size = this.size;
    for (const { previous, next } of changes) {
      if (previous !== undefined) {
        trees = removeRoute(trees, previous, batch);
        size -= 1;
      }
      if (next !== undefined) {
        trees = addRoute(trees, next, batch);
        size += 1;
      }
    }
    return new TreeRouter(this.#dialect, trees, size);
  }
}
