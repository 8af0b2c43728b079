import type { SideAnswer } from "@fngate/data-plane/side";
import { GatewayError } from "@fngate/kernel";
import type { BoundListener } from "../listening.ts";
import type { FromWorker, Question, StartFailure, ToWorker, WorkerEnd, WorkerProcess } from "./messages.ts";

/** Who is told of what a worker says. */
export interface LifeListener {
  onListening(bound: BoundListener): void;
  onReady(): void;
  /** The worker wants the metrics of all. */
  onGather(): Promise<SideAnswer>;
}

/** One life of a worker: its process and what is known of it. */
export class WorkerLife {
  /** Resolves when it serves; rejects with `LISTEN_FAILED` or `LIFECYCLE_START_FAILED` when it does not. */
  readonly started: Promise<void>;
  /** Resolves when it has a complete configuration; rejects as {@link started} does, and when it ends before. */
  readonly ready: Promise<void>;
  readonly ended: Promise<WorkerEnd>;
  readonly #process: WorkerProcess;
  readonly #listener: LifeListener;
  readonly #starting = Promise.withResolvers<void>();
  readonly #readying = Promise.withResolvers<void>();
  readonly #ending = Promise.withResolvers<WorkerEnd>();
  readonly #questions = new Map<number, PromiseWithResolvers<SideAnswer | undefined>>();
  #asked = 0;
  #isStarted = false;
  #isReady = false;
  #isOver = false;

  constructor(process: WorkerProcess, start: ToWorker, listener: LifeListener) {
    this.#process = process;
    this.#listener = listener;
    this.started = this.#starting.promise;
    this.ready = this.#readying.promise;
    this.ended = this.#ending.promise;
    // Whether anybody waits for the start depends on whether it is the first.
    this.started.catch(() => undefined);
    this.ready.catch(() => undefined);
    process.onMessage((message) => {
      // Only now is anybody there to hear it.
      if (message.type === "hello") process.send(start);
      else this.#take(message);
    });
    process.onEnd((end) => this.#end(end));
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** It serves. */
  get isStarted(): boolean {
    return this.#isStarted && !this.#isOver;
  }

  /** It has a complete configuration, and still runs. */
  get isReady(): boolean {
    return this.#isReady && !this.#isOver;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Asks the worker; rejects when it ends before it answers. */
  ask(question: Question): Promise<SideAnswer | undefined> {
    const id = this.#asked;
    this.#asked += 1;
    const waiting = Promise.withResolvers<SideAnswer | undefined>();
    this.#questions.set(id, waiting);
    if (this.#isOver) this.#giveUp();
    else this.#process.send({ type: "ask", id, question });
    return waiting.promise;
  }

  /** Tells the worker that its log files were moved. */
  reopenLogs(): void {
    this.#process.send({ type: "reopen-logs" });
  }

  /** Tells the worker to finish what it does. */
  stop(deadlineMs: number): void {
    this.#process.send({ type: "stop", deadlineMs });
  }

  kill(): void {
    if (!this.#isOver) this.#process.kill();
  }

  #take(message: FromWorker): void {
    switch (message.type) {
      case "listening":
        this.#listener.onListening(message.bound);
        break;
      case "started":
        this.#isStarted = true;
        this.#starting.resolve();
        break;
      case "ready":
        this.#isReady = true;
        this.#readying.resolve();
        this.#listener.onReady();
        break;
      case "failed":
        this.#failStart(message.failure);
        break;
      case "answer":
        this.#settle(message.id)?.resolve(message.answer);
        break;
      case "unanswered":
        this.#settle(message.id)?.reject(new Error(message.reason));
        break;
      case "gather":
        void this.#gather(message.id);
        break;
      case "hello":
      case "bye":
        break;
    }
  }

  async #gather(id: number): Promise<void> {
    const answer = await this.#listener.onGather().catch(() => undefined);
    this.#process.send({ type: "gathered", id, answer });
  }

  #settle(id: number): PromiseWithResolvers<SideAnswer | undefined> | undefined {
    const waiting = this.#questions.get(id);
    this.#questions.delete(id);
    return waiting;
  }

  #end(end: WorkerEnd): void {
    this.#isOver = true;
    const how = end.signal ?? `code ${end.code}`;
    this.#failStart({ message: `a worker ended with ${how} while it started`, listen: undefined });
    this.#giveUp();
    this.#ending.resolve(end);
  }

  #failStart(failure: StartFailure): void {
    const error = startError(failure);
    this.#starting.reject(error);
    this.#readying.reject(error);
  }

  #giveUp(): void {
    for (const waiting of this.#questions.values()) waiting.reject(new Error("the worker ended"));
    this.#questions.clear();
  }
}

/** The error as if the listener were this process's, so that the operator is told the same about it. */
function startError({ message, listen }: StartFailure): GatewayError {
  if (listen === undefined) return new GatewayError("LIFECYCLE_START_FAILED", message);
  const cause = Object.assign(new Error(message), { ...listen, syscall: "listen" });
  return new GatewayError("LISTEN_FAILED", message, { cause });
}
