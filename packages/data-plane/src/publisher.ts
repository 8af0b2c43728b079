import type { Clock, Logger } from "@fngate/kernel";
import { messageOf } from "@fngate/kernel";
import type { PendingChanges } from "./coalescer.ts";
import type { CompileDeps } from "./compile/compile-deps.ts";
import { compileSnapshot } from "./compile/compile-snapshot.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { SnapshotCell } from "./snapshot-cell.ts";

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

  publish(pending: PendingChanges): void {
    const { cell, clock, deps, logger, onRouteDeleted } = this.#options;
    try {
      const { snapshot, retired, news, deletedRoutes } = compileSnapshot(cell.current, pending, deps);
      cell.publish(snapshot);
      for (const held of retired) held.release();
      for (const id of deletedRoutes) onRouteDeleted(id);
      for (const diagnostic of news) this.#log(diagnostic);
      this.state.isLastSuccessful = true;
      this.state.lastSuccessMs = clock.now();
      logger.debug({ revision: snapshot.revision, changes: pending.changes.length }, "configuration published");
    } catch (error) {
      this.state.isLastSuccessful = false;
      logger.error({ revision: pending.revision, reason: messageOf(error) }, "configuration cannot be compiled");
    }
  }

  #log({ kind, id, severity, code, path, message }: Diagnostic): void {
    const { logger } = this.#options;
    const fields = { kind, id, code, path, reason: message };
    if (severity === "error") logger.error(fields, "stored object is not in use");
    else logger.warn(fields, "stored object is in use without a part");
  }
}
