import { setImmediate as nextTurn } from "node:timers/promises";
import { type Clock, type Logger, messageOf } from "@fngate/kernel";
import type { PendingChanges } from "./coalescer.ts";
import type { CompileDeps } from "./compile/compile-deps.ts";
import { type Compilation, compileSnapshot } from "./compile/compile-snapshot.ts";
import type { Held } from "./compile/held.ts";
import type { Snapshot } from "./compile/snapshot.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { SnapshotCell } from "./snapshot-cell.ts";

/** Changes compiled at once, and the first turn of more: a few milliseconds on any machine. */
const FEW_CHANGES = 25;

/** How long a turn may keep requests waiting, milliseconds; the next one is made larger or smaller to fit. */
const TURN_MS = 8;

/** Bounds of a turn: below, what every turn costs would count; above, a clock that stands still would end the turns. */
const TURN_SIZES = { min: 10, max: 500 } as const;

/** Objects given back per turn; each may close connections. */
const RELEASES_PER_TURN = 500;

/** How the last publication went, for metrics. */
export interface ReloadState {
  /** All of it is in force, but for objects that are told of as unusable themselves. */
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

/** What is left to do once a step is in force: what it retired may be in use by requests on the snapshot before. */
type Aftermath = Pick<Compilation, "deletedRoutes" | "news" | "retired">;

/** Compiles changes and puts the result in force; what the old snapshot alone used is released after that. */
export class Publisher {
  readonly state: ReloadState = { isLastSuccessful: false, lastSuccessMs: 0 };
  readonly #options: PublisherOptions;
  /** No turn of this publication has failed: later ones that work must not hide it. */
  #isWhole = true;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /**
   * Puts changes in force; a promise when they are so many, or move so many routes, that it takes turns with other work. They
   * take effect together either way. Never throws or rejects.
   */
  publish(pending: PendingChanges, signal: AbortSignal): Promise<void> | undefined {
    this.#isWhole = true;
    if (pending.changes.length > FEW_CHANGES) return this.#publishInTurns(pending, signal);
    const compiled = this.#tryTo(pending, () => this.#compile(this.#options.cell.current, pending));
    if (compiled === undefined) return undefined;
    if (compiled.moves !== undefined) return this.#publishMoved(compiled, pending, signal);
    this.#tryTo(pending, () => {
      this.#putInForce(compiled.snapshot);
      this.#tell(compiled);
      for (const held of compiled.retired) held.retire();
    });
    return undefined;
  }

  async #publishInTurns({ changes, revision }: PendingChanges, signal: AbortSignal): Promise<void> {
    const { cell, clock } = this.#options;
    // Of the steps only the last snapshot is kept: the ones between would hold on to all that each of them replaced.
    const steps: Aftermath[] = [];
    let snapshot = cell.current;
    let size: number = FEW_CHANGES;
    for (let start = 0; start < changes.length; ) {
      const startedMs = clock.monotonicMs();
      const turn = { revision, changes: changes.slice(start, start + size) };
      const base = snapshot;
      const compiled = this.#tryTo(turn, () => this.#compile(base, turn));
      start += size;
      size = nextTurnSize(size, clock.monotonicMs() - startedMs);
      const moved = compiled && (await this.#moveInTurns(compiled, turn, signal));
      if (moved !== undefined) {
        snapshot = moved.snapshot;
        steps.push(aftermathOf(moved));
      }
      await nextTurn();
      if (signal.aborted) return;
    }
    if (steps.length === 0) return;
    await this.#finishInTurns(snapshot, steps);
  }

  /** One change that moves many routes. */
  async #publishMoved(compiled: Compilation, pending: PendingChanges, signal: AbortSignal): Promise<void> {
    const moved = await this.#moveInTurns(compiled, pending, signal);
    if (moved !== undefined && !signal.aborted) await this.#finishInTurns(moved.snapshot, [aftermathOf(moved)]);
  }

  /** With all routes in their places; nobody waits for it longer than for a few of them at once. Nothing when that fails. */
  async #moveInTurns(
    compiled: Compilation,
    pending: PendingChanges,
    signal: AbortSignal,
  ): Promise<Compilation | undefined> {
    const { moves, snapshot } = compiled;
    if (moves === undefined) return compiled;
    const draft = snapshot.router.draft();
    while (!(moves.isOver || signal.aborted)) {
      const isMoved = this.#tryTo(pending, () => {
        draft.apply(moves.take());
        return true;
      });
      if (isMoved === undefined) return undefined;
      await nextTurn();
    }
    return { ...compiled, snapshot: { ...snapshot, router: draft.done() } };
  }

  async #finishInTurns(snapshot: Snapshot, steps: readonly Aftermath[]): Promise<void> {
    this.#putInForce(snapshot);
    for (const step of steps) this.#tell(step);
    await releaseInTurns(steps.flatMap(({ retired }) => retired));
  }

  #compile(previous: Snapshot, pending: PendingChanges): Compilation {
    return compileSnapshot(previous, pending, this.#options.deps);
  }

  #putInForce(snapshot: Snapshot): void {
    const { cell, clock, logger } = this.#options;
    cell.publish(snapshot);
    this.state.isLastSuccessful = this.#isWhole;
    if (this.#isWhole) this.state.lastSuccessMs = clock.now();
    logger.debug({ revision: snapshot.revision }, "configuration published");
  }

  #tell({ deletedRoutes, news }: Aftermath): void {
    for (const id of deletedRoutes) this.#options.onRouteDeleted(id);
    for (const diagnostic of news) this.#log(diagnostic);
  }

  #tryTo<TResult>(pending: PendingChanges, step: () => TResult): TResult | undefined {
    try {
      return step();
    } catch (error) {
      this.#isWhole = false;
      this.state.isLastSuccessful = false;
      const fields = { revision: pending.revision, reason: messageOf(error) };
      this.#options.logger.error(fields, "configuration cannot be compiled");
      return undefined;
    }
  }

  #log({ kind, id, severity, code, path, message }: Diagnostic): void {
    const { logger } = this.#options;
    const fields = { kind, id, code, path, reason: message };
    // That it waits is the usual course; that it waited for nothing will be told.
    if (code === "AWAITED_SECRET") logger.debug(fields, "stored object waits for a secret");
    else if (severity === "error") logger.error(fields, "stored object is not in use");
    // The object is in use, most likely not as it is meant (APISIX: an unresolved reference is an error in the log).
    else if (code === "UNRESOLVED_REFERENCE") logger.error(fields, "reference cannot be resolved");
    else if (code === "EXPIRED_CERTIFICATE") logger.warn(fields, "certificate is served although it has ended");
    else logger.warn(fields, "stored object is in use without a part");
  }
}

/** Without the snapshot, so that it is not held on to. */
function aftermathOf({ deletedRoutes, news, retired }: Compilation): Aftermath {
  return { deletedRoutes, news, retired };
}

/** The size of turn that would have taken {@link TURN_MS}, going by one of `size` that took `tookMs`. */
function nextTurnSize(size: number, tookMs: number): number {
  const fitting = tookMs > 0 ? Math.round((size * TURN_MS) / tookMs) : TURN_SIZES.max;
  // At most twice as large: one lucky turn must not make the next a long one.
  return Math.min(Math.max(fitting, TURN_SIZES.min), size * 2, TURN_SIZES.max);
}

async function releaseInTurns(retired: readonly Held[]): Promise<void> {
  for (const [index, held] of retired.entries()) {
    if (index > 0 && index % RELEASES_PER_TURN === 0) await nextTurn();
    held.retire();
  }
}
