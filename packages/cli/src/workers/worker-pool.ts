import type { ProcessMetrics, SideAnswer, SideRequest, SideSource } from "@fngate/data-plane/side";
import { createProcessMetrics, keepCounts, mergeMetrics } from "@fngate/data-plane/side";
import { type Clock, GatewayError, type Logger, messageOf } from "@fngate/kernel";
import type { Settings } from "../config/settings.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import type { BoundListener } from "../listening.ts";
import type { Question, WorkerForker } from "./messages.ts";
import { restartDelayMs } from "./restart-delay.ts";
import { WorkerLife } from "./worker-life.ts";

export interface WorkerPoolOptions {
  /** How many workers. */
  readonly count: number;
  readonly fork: WorkerForker;
  /** What the worker of that number runs by. */
  readonly settingsOf: (index: number) => Settings;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called once per listener, however many workers share it. */
  readonly onListening: (bound: BoundListener) => void;
}

/** How long a worker may take to answer a question; a scrape goes on without it then. */
const ANSWER_DEADLINE_MS = 5_000;

/** What a stopping worker gets beyond the deadline to cut connections and write its logs. */
const STOP_GRACE_MS = 900;

/** Workers of one number, one life after the other. */
interface Slot {
  readonly index: number;
  life: WorkerLife;
  startedMs: number;
  /** Lives in a row that were short. */
  failures: number;
  /** What was last heard of the counters of this life, and of all before. */
  lastText: string;
  retiredText: string;
}

/**
 * The worker processes of a gateway: starts them, restarts those that end, and speaks for all of them where they are
 * asked as one.
 */
export class WorkerPool implements SideSource {
  readonly #options: WorkerPoolOptions;
  readonly #own = createProcessMetrics();
  readonly #stopping = new AbortController();
  readonly #announced = new Set<string>();
  #slots: readonly Slot[] = [];
  #wasReady = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Starts all workers; when one fails the others are ended and its error is raised. */
  async start(): Promise<void> {
    const { count } = this.#options;
    this.#slots = Array.from({ length: count }, (_, index) => this.#createSlot(index));
    try {
      await Promise.all(this.#slots.map(({ life }) => life.started));
    } catch (error) {
      await this.#killAll();
      throw error;
    }
    for (const slot of this.#slots) {
      this.#tellStart(slot);
      void this.#keepRunning(slot);
    }
  }

  /** Lets every worker drain; raises `LIFECYCLE_DRAIN_TIMEOUT` once all are down, when one had to cut requests. */
  async stop({ deadlineMs }: { readonly deadlineMs: number }): Promise<void> {
    this.#stopping.abort();
    const { clock } = this.#options;
    for (const { life } of this.#slots) life.stop(deadlineMs);
    const done = new AbortController();
    const late = clock.sleep(deadlineMs + STOP_GRACE_MS, done.signal).then(
      () => this.#killAll(),
      () => undefined,
    );
    const ends = await Promise.all(this.#slots.map(({ life }) => life.ended));
    done.abort();
    await late;
    if (ends.some(({ code }) => code !== EXIT_CODES.ok)) {
      throw new GatewayError("LIFECYCLE_DRAIN_TIMEOUT", `requests of workers were cut after ${deadlineMs} ms`);
    }
  }

  /** Lets every worker open its log files again. */
  reopenLogs(): void {
    for (const { life } of this.#slots) life.reopenLogs();
  }

  /** Ends every worker without a word. */
  kill(): void {
    this.#stopping.abort();
    for (const { life } of this.#slots) life.kill();
  }

  /** Once all were ready, one that is is enough: the others are being restarted and nobody waits for them. */
  get notReady(): string | undefined {
    const ready = this.#slots.filter(({ life }) => life.isReady);
    const { count } = this.#options;
    if (this.#stopping.signal.aborted) return "the gateway is stopping";
    if (this.#wasReady && ready.length > 0) return undefined;
    const waiting = this.#slots.find(({ life }) => !life.isOver && !life.isReady);
    return waiting === undefined
      ? `worker count: ${count} but status report count: ${ready.length}`
      : `worker id: ${waiting.index} has not received configuration`;
  }

  async renderMetrics(): Promise<SideAnswer> {
    const own = { worker: "primary", text: await this.#own.render() };
    const perSlot = await Promise.all(this.#slots.map((slot) => this.#metricsOf(slot)));
    return { status: 200, contentType: this.#own.contentType, body: mergeMetrics([own, ...perSlot.flat()]) };
  }

  /** One worker answers for all: configuration and schemas are the same in each, health is its own. */
  async control(request: SideRequest): Promise<SideAnswer | undefined> {
    const slot = this.#slots.find(({ life }) => life.isReady) ?? this.#slots.find(({ life }) => life.isStarted);
    const question = { about: "control", request } as const;
    // What asks a worker to do something is asked of all.
    if (request.method !== "GET" && request.method !== "HEAD") {
      const others = this.#slots.filter((other) => other !== slot && other.life.isStarted);
      await Promise.allSettled(others.map((other) => this.#ask(other, question)));
    }
    if (slot === undefined) throw new GatewayError("LIFECYCLE_START_FAILED", "no worker runs");
    return this.#ask(slot, question);
  }

  async #metricsOf(slot: Slot): Promise<readonly ProcessMetrics[]> {
    try {
      const answer = slot.life.isStarted ? await this.#ask(slot, { about: "metrics" }) : undefined;
      if (answer !== undefined) slot.lastText = answer.body;
    } catch (error) {
      this.#options.logger.warn({ worker: slot.index, reason: messageOf(error) }, "metrics of a worker are old");
    }
    const worker = String(slot.index);
    return [
      { worker, text: slot.lastText },
      { worker, text: slot.retiredText },
    ];
  }

  async #ask(slot: Slot, question: Question): Promise<SideAnswer | undefined> {
    const done = new AbortController();
    const late = this.#options.clock.sleep(ANSWER_DEADLINE_MS, done.signal).then(
      () => Promise.reject(new Error(`worker ${slot.index} did not answer in time`)),
      () => undefined,
    );
    try {
      return await Promise.race([slot.life.ask(question), late]);
    } finally {
      done.abort();
    }
  }

  #createSlot(index: number): Slot {
    return {
      index,
      life: this.#begin(index),
      startedMs: this.#options.clock.monotonicMs(),
      failures: 0,
      lastText: "",
      retiredText: "",
    };
  }

  #begin(index: number): WorkerLife {
    const { fork, settingsOf } = this.#options;
    const start = { type: "start", index, settings: settingsOf(index) } as const;
    return new WorkerLife(fork(), start, {
      onListening: (bound) => this.#announce(bound),
      onReady: () => this.#noteReady(),
      onGather: () => this.renderMetrics(),
    });
  }

  #noteReady(): void {
    this.#wasReady ||= this.#slots.every(({ life }) => life.isReady);
  }

  #announce(bound: BoundListener): void {
    const key = JSON.stringify(bound);
    if (this.#announced.has(key)) return;
    this.#announced.add(key);
    this.#options.onListening(bound);
  }

  /** Starts the worker again whenever it ends, until the gateway stops. */
  async #keepRunning(slot: Slot): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const { pid } = slot.life;
      const end = await slot.life.ended;
      slot.retiredText = mergeRetired(slot);
      slot.lastText = "";
      if (signal.aborted) return;
      const delayMs = restartDelayMs(slot, clock.monotonicMs());
      logger.error(
        { event: "worker-ended", worker: slot.index, pid, ...end, delayMs },
        "a worker ended, starting it again",
      );
      await clock.sleep(delayMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      slot.startedMs = clock.monotonicMs();
      slot.life = this.#begin(slot.index);
      await this.#noteStart(slot);
    }
  }

  async #noteStart(slot: Slot): Promise<void> {
    try {
      await slot.life.started;
      this.#tellStart(slot);
    } catch (error) {
      this.#options.logger.error({ worker: slot.index, reason: messageOf(error) }, "a worker cannot be started");
    }
  }

  #tellStart({ index, life }: Slot): void {
    this.#options.logger.info({ event: "worker-started", worker: index, pid: life.pid }, "a worker serves");
  }

  async #killAll(): Promise<void> {
    this.kill();
    await Promise.all(this.#slots.map(({ life }) => life.ended));
  }
}

function mergeRetired({ index, lastText, retiredText }: Slot): string {
  const worker = String(index);
  return keepCounts(
    mergeMetrics([
      { worker, text: lastText },
      { worker, text: retiredText },
    ]),
  );
}
