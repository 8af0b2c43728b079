import type { Clock } from "@fngate/kernel";
import type { Revision } from "@fngate/store";
import type { MirrorChange, MirrorUpdate } from "./mirror/mirror.ts";

/** Everything that changed since the last publication, the newest state per key. */
export interface PendingChanges {
  readonly changes: readonly MirrorChange[];
  readonly revision: Revision;
}

export interface CoalescerOptions {
  readonly clock: Clock;
  /** Shortest time between two publications, milliseconds. */
  readonly intervalMs: number;
  /** A promise, which must not reject, keeps the next publication waiting. */
  readonly publish: (pending: PendingChanges) => Promise<void> | undefined;
}

/**
 * Paces publications: at once when idle, then at most one per interval with the newest state of every key.
 *
 * Updates without changes (progress marks) publish nothing once there was a first publication.
 */
export class Coalescer {
  readonly #options: CoalescerOptions;
  readonly #stopping = new AbortController();
  #pending = new Map<string, MirrorChange>();
  #revision: Revision | undefined;
  #isPacing = false;
  #hasPublished = false;

  constructor(options: CoalescerOptions) {
    this.#options = options;
  }

  /** Takes news from the mirror; after {@link stop} they come to nothing. */
  offer(update: MirrorUpdate): void {
    if (this.#stopping.signal.aborted) return;
    this.#revision = update.revision;
    if (this.#isPacing) {
      for (const change of update.changes) this.#pending.set(change.key, change);
    } else if (update.changes.length > 0 || !this.#hasPublished) {
      // Nothing is pending when idle: a listing of 100,000 goes on as it came.
      this.#publish(update.changes, update.revision);
    }
  }

  /** Drops what is outstanding. */
  stop(): void {
    this.#stopping.abort();
    this.#pending.clear();
  }

  #publish(changes: readonly MirrorChange[], revision: Revision): void {
    this.#hasPublished = true;
    this.#isPacing = true;
    let published: Promise<void> | undefined;
    try {
      published = this.#options.publish({ changes, revision });
    } finally {
      // Whatever happened to this publication, later ones must come.
      void this.#pace(published);
    }
  }

  async #pace(published: Promise<void> | undefined): Promise<void> {
    if (published !== undefined) await published;
    try {
      await this.#options.clock.sleep(this.#options.intervalMs, this.#stopping.signal);
    } catch {
      return;
    }
    this.#isPacing = false;
    if (this.#pending.size === 0 || this.#revision === undefined) return;
    const changes = [...this.#pending.values()];
    this.#pending = new Map();
    this.#publish(changes, this.#revision);
  }
}
