import { disposePlugins } from "./plugins.ts";
import type { ObjectPlugin } from "./snapshot.ts";
import type { UpstreamHandle } from "./upstream-handle.ts";

/**
 * What compiled objects keep alive (plugin instances, connection pools), counted by its users: the snapshot that
 * lists it is one, every running request that picked it another. The last one to leave disposes it, so a reload
 * neither cuts a request short nor waits for a long one.
 */
export class Held {
  #users = 1;
  readonly #plugins: readonly ObjectPlugin[];
  readonly upstream: UpstreamHandle | undefined;

  /** Starts with one user: the snapshot. */
  constructor(plugins: readonly ObjectPlugin[], upstream?: UpstreamHandle) {
    this.#plugins = plugins;
    this.upstream = upstream;
  }

  /** Takes over from the version that this one replaces what was in use of it. */
  follow(previous: Held | undefined): void {
    if (previous?.upstream !== undefined) this.upstream?.follow(previous.upstream);
  }

  acquire(): void {
    this.#users += 1;
  }

  release(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    disposePlugins(this.#plugins);
    this.upstream?.dispose();
  }

  /** The snapshot leaves; what only serves requests to come ends now, however long the running ones take. */
  retire(): void {
    this.upstream?.retire();
    this.release();
  }
}
