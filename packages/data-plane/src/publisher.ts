import { setImmediate as nextTurn } from "node:timers/promises";
import { type Clock, type Logger, messageOf } from "@fngate/kernel";
import type { PendingChanges } from "./coalescer.ts";
import type { CompileDeps } from "./compile/compile-deps.ts";
import { type Compilation, compileSnapshot } from "./compile/compile-snapshot.ts";
import type { Snapshot } from "./compile/snapshot.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { SnapshotCell } from "./snapshot-cell.ts";

/** Changes compiled without a break: some tens of milliseconds. */
const CHANGES_PER_TURN = 100;

/** How the last publication went, for metrics. */
export interface ReloadState {
  isLastSuccessful: boolean;
  /** Wall-clock milliseconds of the last successful one; 0 before the first. */
  lastSuccessMs: number;
}

export interface PublisherOptions {
  readonly cell: SnapshotCell;
  readonly deps: CompileDeps;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onRouteDeleted: (id: string) => void;
}

/** Compiles changes and puts the result in force; what the old snapshot alone used is released after that. */
export class Publisher {
  readonly state: ReloadState = { isLastSuccessful: false, lastSuccessMs: 0 };
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /**
   * Puts changes in force; a promise when there are so many that compiling them takes turns with other work. They
   * take effect together either way. Never throws or rejects.
   */
  publish(pending: PendingChanges, signal: AbortSignal): Promise<void> | undefined {
    if (pending.changes.length > CHANGES_PER_TURN) return this.#publishInTurns(pending, signal);
    this.#tryTo(pending, () => this.#putInForce([this.#compile(this.#options.cell.current, pending)]));
    return undefined;
  }

  async #publishInTurns({ changes, revision }: PendingChanges, signal: AbortSignal): Promise<void> {
    const steps: Compilation[] = [];
    let snapshot = this.#options.cell.current;
    for (let start = 0; start < changes.length; start += CHANGES_PER_TURN) {
      const turn = { revision, changes: changes.slice(start, start + CHANGES_PER_TURN) };
      this.#tryTo(turn, () => {
        const step = this.#compile(snapshot, turn);
        steps.push(step);
        snapshot = step.snapshot;
      });
      await nextTurn();
      if (signal.aborted) return;
    }
    this.#tryTo({ changes, revision }, () => this.#putInForce(steps));
  }

  #compile(previous: Snapshot, pending: PendingChanges): Compilation {
    return compileSnapshot(previous, pending, this.#options.deps);
  }

  /** What a step retired may be in use by requests on the snapshot before, so all is released after the swap. */
  #putInForce(steps: readonly Compilation[]): void {
    const { cell, clock, logger, onRouteDeleted } = this.#options;
    const last = steps.at(-1);
    if (last === undefined) return;
    cell.publish(last.snapshot);
    for (const { deletedRoutes, news, retired } of steps) {
      for (const held of retired) held.release();
      for (const id of deletedRoutes) onRouteDeleted(id);
      for (const diagnostic of news) this.#log(diagnostic);
    }
    this.state.isLastSuccessful = true;
    this.state.lastSuccessMs = clock.now();
    logger.debug({ revision: last.snapshot.revision }, "configuration published");
  }

  #tryTo(pending: PendingChanges, step: () => void): void {
    try {
      step();
    } catch (error) {
      this.state.isLastSuccessful = false;
      const fields = { revision: pending.revision, reason: messageOf(error) };
      this.#options.logger.error(fields, "configuration cannot be compiled");
    }
  }

  #log({ kind, id, severity, code, path, message }: Diagnostic): void {
    const { logger } = this.#options;
    const fields = { kind, id, code, path, reason: message };
    if (severity === "error") logger.error(fields, "stored object is not in use");
    else logger.warn(fields, "stored object is in use without a part");
  }
}
