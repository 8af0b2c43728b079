import type { Dialect } from "./dialect.ts";
import { addRoute, type RouteTrees, removeRoute } from "./route-trees.ts";
import type { Match, MatchInput, Router, RouterChange, RouterDraft } from "./router.ts";
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
    const draft = this.draft();
    draft.apply(changes);
    return draft.done();
  }

  draft(): RouterDraft<TValue> {
    return new TreeDraft(this.#dialect, this.#trees, this.size);
  }
}

class TreeDraft<TValue> implements RouterDraft<TValue> {
  readonly #dialect: Dialect;
  #trees: RouteTrees<TValue>;
  #size: number;
  #owner = nextOwner();

  constructor(dialect: Dialect, trees: RouteTrees<TValue>, size: number) {
    this.#dialect = dialect;
    this.#trees = trees;
    this.#size = size;
  }

  apply(changes: Iterable<RouterChange<TValue>>): void {
    const batch = { dialect: this.#dialect, owner: this.#owner };
    for (const { previous, next } of changes) {
      if (previous !== undefined) {
        this.#trees = removeRoute(this.#trees, previous, batch);
        this.#size -= 1;
      }
      if (next !== undefined) {
        this.#trees = addRoute(this.#trees, next, batch);
        this.#size += 1;
      }
    }
  }

  done(): Router<TValue> {
    this.#owner = nextOwner();
    return new TreeRouter(this.#dialect, this.#trees, this.#size);
  }
}
