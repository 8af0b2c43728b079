import type { Clock } from "./clock.ts";
import { GatewayError, isGatewayError, messageOf } from "./errors.ts";
import { type Logger, silentLogger } from "./logger.ts";

/** One thing that a process starts and later stops: a store, a plane, a child process. */
export interface LifecycleStage {
  /** Name in logs and errors. */
  readonly name: string;
  /** Resolves once the stage works; `signal` fires when the process is told to stop before that. */
  start(signal: AbortSignal): Promise<void> | void;
  /**
   * Ends the stage: drains for at most `deadlineMs` milliseconds, then cuts off. May reject with
   * `LIFECYCLE_DRAIN_TIMEOUT` once it is down, when something had to be cut.
   */
  stop(options: StageStopOptions): Promise<void> | void;
}

export interface StageStopOptions {
  /** Milliseconds left to finish what is running; 0 means cut off now. */
  readonly deadlineMs: number;
}

export interface LifecycleOptions {
  /** In the order they start; they stop in the reverse order. */
  readonly stages: readonly LifecycleStage[];
  readonly clock: Clock;
  readonly logger?: Logger;
}

/** How a stop went: the names of the stages that used up the deadline and of those that failed to stop. */
export interface StopOutcome {
  readonly timedOut: readonly string[];
  readonly failed: readonly string[];
}

/**
 * How long a stage may take beyond its deadline to cut connections and close files before it is given up, in
 * milliseconds. A stage that drains correctly needs none of it.
 */
const CUT_OFF_GRACE_MS = 1_000;

/** What a stage whose start failed gets to clean up in, in milliseconds: nobody is being served yet. */
const ROLLBACK_DEADLINE_MS = 1_000;

/**
 * Starts stages in order and stops them in reverse, within one deadline shared by all.
 *
 * A failed start stops what had started. A stop during the start aborts the stage that is starting, and then stops
 * those before it. A stage that cannot stop never keeps the others from stopping.
 */
export class Lifecycle {
  readonly #stages: readonly LifecycleStage[];
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #abort = new AbortController();
  readonly #started: LifecycleStage[] = [];
  #starting: Promise<unknown> | undefined;
  #stopping: Promise<StopOutcome> | undefined;

  constructor(options: LifecycleOptions) {
    this.#stages = options.stages;
    this.#clock = options.clock;
    this.#logger = options.logger ?? silentLogger;
  }

  /**
   * Starts every stage in order. Resolves to `stopped` when {@link Lifecycle.stop} was called meanwhile; rejects with
   * `LIFECYCLE_START_FAILED`, naming the stage, once everything that had started is stopped again.
   */
  start(): Promise<"started" | "stopped"> {
    this.#starting ??= this.#startAll();
    return this.#starting as Promise<"started" | "stopped">;
  }

  /** Stops every started stage in reverse within `deadlineMs` milliseconds altogether; further calls share the result. */
  stop(options: StageStopOptions): Promise<StopOutcome> {
    this.#stopping ??= this.#stopAll(options.deadlineMs);
    return this.#stopping;
  }

  async #startAll(): Promise<"started" | "stopped"> {
    for (const stage of this.#stages) {
      if (this.#abort.signal.aborted) return "stopped";
      try {
        await stage.start(this.#abort.signal);
      } catch (cause) {
        if (this.#abort.signal.aborted) return "stopped";
        await this.#stopStarted(ROLLBACK_DEADLINE_MS);
        throw new GatewayError("LIFECYCLE_START_FAILED", `${stage.name} failed to start: ${messageOf(cause)}`, {
          cause,
          details: { stage: stage.name },
        });
      }
      this.#started.push(stage);
    }
    return this.#abort.signal.aborted ? "stopped" : "started";
  }

  async #stopAll(deadlineMs: number): Promise<StopOutcome> {
    this.#abort.abort();
    // A failed start has already stopped everything and reported to the caller of `start`.
    const hasSettled = await this.#within(
      Promise.resolve(this.#starting).catch(() => undefined),
      deadlineMs,
    );
    const outcome = await this.#stopStarted(deadlineMs);
    return hasSettled ? outcome : { ...outcome, timedOut: ["start", ...outcome.timedOut] };
  }

  async #stopStarted(deadlineMs: number): Promise<StopOutcome> {
    const timedOut: string[] = [];
    const failed: string[] = [];
    const endMs = this.#clock.monotonicMs() + deadlineMs;
    for (let stage = this.#started.pop(); stage !== undefined; stage = this.#started.pop()) {
      const { name } = stage;
      const leftMs = Math.max(0, endMs - this.#clock.monotonicMs());
      try {
        const isDone = await this.#within(this.#stopOne(stage, leftMs), leftMs + CUT_OFF_GRACE_MS);
        if (!isDone || (leftMs > 0 && this.#clock.monotonicMs() >= endMs)) timedOut.push(name);
      } catch (error) {
        if (isGatewayError(error, "LIFECYCLE_DRAIN_TIMEOUT")) {
          timedOut.push(name);
          continue;
        }
        failed.push(name);
        this.#logger.error({ stage: name, error: messageOf(error) }, "stage failed to stop");
      }
    }
    if (timedOut.length > 0) this.#logger.warn({ stages: timedOut, deadlineMs }, "drain deadline passed");
    return { timedOut, failed };
  }

  async #stopOne(stage: LifecycleStage, deadlineMs: number): Promise<void> {
    await stage.stop({ deadlineMs });
  }

  /** Waits for `work` at most `ms` milliseconds and tells whether it ended. */
  async #within(work: Promise<unknown>, ms: number): Promise<boolean> {
    const timer = new AbortController();
    const expired = this.#clock.sleep(ms, timer.signal).then(
      () => false,
      () => true,
    );
    try {
      return await Promise.race([work.then(() => true), expired]);
    } finally {
      timer.abort();
    }
  }
}
