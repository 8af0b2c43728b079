import type { Snapshot } from "./compile/snapshot.ts";

/** Where the snapshot in force lives: one reference, swapped by one assignment. A request reads it once. */
export class SnapshotCell {
  #current: Snapshot;

  constructor(first: Snapshot) {
    this.#current = first;
  }

  get current(): Snapshot {
    return this.#current;
  }

  publish(next: Snapshot): void {
    this.#current = next;
  }
}
