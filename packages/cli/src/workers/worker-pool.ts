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

/** How long a worker that is to take another one's place may take until it serves. */
const TAKE_OVER_DEADLINE_MS = 60_000;

/** How long a worker may take to answer a question; a scrape goes on without it then. */
const ANSWER_DEADLINE_MS = 5_000;

/** What a stopping worker gets beyond the deadline to cut connections and write its logs. */
const STOP_GRACE_MS = 900;

/** A life whose counters are kept. */
interface Counted {
  readonly index: number;
  readonly life: WorkerLife;
  /** What was last heard of its counters. */
  lastText: string;
}

/** Workers of one number, one life after the other. */
interface Slot extends Counted {
  life: WorkerLife;
  startedMs: number;
  /** Lives in a row that were short. */
  failures: number;
  /** The counters of all lives before. */
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
  readonly #leaving = new Set<Counted>();
  #settingsOf: WorkerPoolOptions["settingsOf"];
  #slots: readonly Slot[] = [];
  /** To take another one's place once it serves. */
  #next: WorkerLife | undefined;
  #wasReady = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#settingsOf = options.settingsOf;
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
    const lives = this.#lives();
    for (const life of lives) life.stop(deadlineMs);
    const done = new AbortController();
    const late = clock.sleep(deadlineMs + STOP_GRACE_MS, done.signal).then(
      () => this.#killAll(),
      () => undefined,
    );
    const ends = await Promise.all(lives.map((life) => life.ended));
    done.abort();
    await late;
    if (ends.some(({ code }) => code !== EXIT_CODES.ok)) {
      throw new GatewayError("LIFECYCLE_DRAIN_TIMEOUT", `requests of workers were cut after ${deadlineMs} ms`);
    }
  }

  /**
   * Puts workers with other settings in the place of those that run, one after the other: each serves before the one
   * before it takes no more connections and ends within `drainMs` milliseconds. Raises what keeps a new one from
   * serving; when that is the first, nothing has changed.
   */
  async reload(settingsOf: WorkerPoolOptions["settingsOf"], drainMs: number): Promise<void> {
    const before = this.#settingsOf;
    this.#settingsOf = settingsOf;
    for (const [index, slot] of this.#slots.entries()) {
      try {
        await this.#replace(slot, drainMs);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        if (index === 0) this.#settingsOf = before;
        throw error;
      }
    }
  }

  /** Lets every worker open its log files again. */
  reopenLogs(): void {
    for (const life of this.#lives()) life.reopenLogs();
  }

  /** Ends every worker without a word. */
  kill(): void {
    this.#stopping.abort();
    for (const life of this.#lives()) life.kill();
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
    const counted = [...this.#slots, ...this.#leaving];
    await Promise.all(counted.map((one) => this.#count(one)));
    const texts: ProcessMetrics[] = counted.map(({ index, lastText }) => ({ worker: String(index), text: lastText }));
    const retired = this.#slots.map(({ index, retiredText }) => ({ worker: String(index), text: retiredText }));
    return { status: 200, contentType: this.#own.contentType, body: mergeMetrics([own, ...texts, ...retired]) };
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

  /** Everything that runs. */
  #lives(): readonly WorkerLife[] {
    const lives = [...this.#slots, ...this.#leaving].map(({ life }) => life);
    return this.#next === undefined ? lives : [...lives, this.#next];
  }

  async #count(counted: Counted): Promise<void> {
    const { index, life } = counted;
    try {
      const answer = life.isStarted ? await this.#ask(counted, { about: "metrics" }) : undefined;
      // Another one may have taken its place meanwhile.
      if (answer !== undefined && counted.life === life) counted.lastText = answer.body;
    } catch (error) {
      this.#options.logger.warn({ worker: index, reason: messageOf(error) }, "metrics of a worker are old");
    }
  }

  #ask({ index, life }: Counted, question: Question): Promise<SideAnswer | undefined> {
    return this.#within(life.ask(question), ANSWER_DEADLINE_MS, `worker ${index} did not answer in time`);
  }

  async #within<TResult>(work: Promise<TResult>, ms: number, late: string): Promise<TResult> {
    const done = new AbortController();
    const expired = this.#options.clock.sleep(ms, done.signal).then(
      () => Promise.reject(new Error(late)),
      () => work,
    );
    try {
      return await Promise.race([work, expired]);
    } finally {
      done.abort();
    }
  }

  async #replace(slot: Slot, drainMs: number): Promise<void> {
    const next = this.#begin(slot.index);
    this.#next = next;
    try {
      await this.#within(next.ready, TAKE_OVER_DEADLINE_MS, `worker ${slot.index} did not get ready in time`);
    } catch (error) {
      next.kill();
      throw error;
    } finally {
      this.#next = undefined;
    }
    const leaving: Counted = { index: slot.index, life: slot.life, lastText: slot.lastText };
    this.#leaving.add(leaving);
    slot.life = next;
    slot.startedMs = this.#options.clock.monotonicMs();
    slot.failures = 0;
    slot.lastText = "";
    this.#tellStart(slot);
    void this.#letLeave(leaving, slot, drainMs);
  }

  async #letLeave(leaving: Counted, slot: Slot, drainMs: number): Promise<void> {
    const { index, life } = leaving;
    await this.#count(leaving);
    life.stop(drainMs);
    await this.#within(life.ended, drainMs + STOP_GRACE_MS, "").catch(() => life.kill());
    const { code, signal } = await life.ended;
    slot.retiredText = mergeRetired(index, leaving.lastText, slot.retiredText);
    this.#leaving.delete(leaving);
    this.#options.logger.info({ event: "worker-left", worker: index, pid: life.pid, code, signal }, "a worker left");
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
    const { fork } = this.#options;
    const start = { type: "start", index, settings: this.#settingsOf(index) } as const;
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
      const { life } = slot;
      const end = await life.ended;
      if (signal.aborted) return;
      if (slot.life !== life) continue;
      slot.retiredText = mergeRetired(slot.index, slot.lastText, slot.retiredText);
      slot.lastText = "";
      const delayMs = restartDelayMs(slot, clock.monotonicMs());
      logger.error(
        { event: "worker-ended", worker: slot.index, pid: life.pid, ...end, delayMs },
        "a worker ended, starting it again",
      );
      await clock.sleep(delayMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      if (slot.life !== life) continue;
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
    await Promise.all(this.#lives().map((life) => life.ended));
  }
}

function mergeRetired(index: number, lastText: string, retiredText: string): string {
  const worker = String(index);
  return keepCounts(
    mergeMetrics([
      { worker, text: lastText },
      { worker, text: retiredText },
    ]),
  );
}
