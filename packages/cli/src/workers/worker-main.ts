import type { SideAnswer } from "@fngate/data-plane/side";
import { type GatewayError, isGatewayError, type Logger, messageOf, systemClock } from "@fngate/kernel";
import { compose, type Gateway } from "../compose.ts";
import type { Environment } from "../config/environment.ts";
import type { Settings } from "../config/settings.ts";
import { EXIT_CODES, type ExitCode } from "../exit-codes.ts";
import { findListenError } from "../listening.ts";
import { createLogger } from "../logger.ts";
import { reopenLogs } from "../upkeep-signals.ts";
import type { FromWorker, Question, StartFailure, ToWorker } from "./messages.ts";

/** Everything of a worker's process that it touches. */
export interface WorkerIo {
  readonly environment: Environment;
  send(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
  onSignal(signal: NodeJS.Signals, listener: () => void): void;
  exit(code: ExitCode): void;
}

/** How often a data plane that waits for its first configuration is looked at, in milliseconds. */
const READY_POLL_MS = 20;

/** Runs this process as a worker of the primary that forked it. */
export function runWorker(io: WorkerIo): void {
  let worker: Worker | undefined;
  // A terminal's Ctrl-C goes to all processes, and the primary takes care of it.
  io.onSignal("SIGINT", () => undefined);
  // These ask this process alone to stop; its primary starts it again.
  for (const signal of ["SIGTERM", "SIGQUIT"] as const) io.onSignal(signal, () => worker?.stop());
  for (const signal of ["SIGUSR1", "SIGHUP"] as const) io.onSignal(signal, () => worker?.reopenLogs());
  io.onMessage((message) => {
    if (message.type === "start") {
      worker = new Worker(message.index, message.settings, io);
      void worker.start();
    } else if (message.type === "ask") void worker?.answer(message.id, message.question);
    else if (message.type === "gathered") worker?.takeGathered(message.id, message.answer);
    else if (message.type === "reopen-logs") worker?.reopenLogs();
    else if (worker === undefined) io.exit(EXIT_CODES.ok);
    else worker.stop(message.deadlineMs);
  });
  io.send({ type: "hello" });
}

class Worker {
  readonly #io: WorkerIo;
  readonly #settings: Settings;
  readonly #logger: Logger;
  readonly #gateway: Gateway;
  /** Those who wait for the metrics of all workers. */
  readonly #gathering = new Map<number, PromiseWithResolvers<SideAnswer>>();
  #gathered = 0;
  #isStopping = false;

  constructor(index: number, settings: Settings, io: WorkerIo) {
    this.#io = io;
    this.#settings = settings;
    this.#logger = createLogger({ level: settings.logLevel }).child({ worker: index });
    this.#gateway = compose(settings, {
      logger: this.#logger,
      clock: systemClock,
      environment: io.environment,
      onListening: (bound) => io.send({ type: "listening", bound }),
      gatherMetrics: () => this.#gather(),
    });
  }

  async start(): Promise<void> {
    try {
      const outcome = await this.#gateway.lifecycle.start();
      if (outcome === "stopped") return;
      this.#io.send({ type: "started" });
      while (!this.#gateway.isReady && !this.#isStopping) await systemClock.sleep(READY_POLL_MS);
      if (!this.#isStopping) this.#io.send({ type: "ready" });
    } catch (error) {
      this.#io.send({ type: "failed", failure: failureOf(error) });
      this.#io.exit(EXIT_CODES.failed);
    }
  }

  stop(deadlineMs = this.#settings.drainMs): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    void this.#gateway.lifecycle
      .stop({ deadlineMs })
      .then(({ timedOut }) => this.#io.exit(timedOut.length > 0 ? EXIT_CODES.drainDeadlinePassed : EXIT_CODES.ok));
  }

  reopenLogs(): void {
    void reopenLogs(this.#gateway, this.#logger);
  }

  takeGathered(id: number, answer: SideAnswer | undefined): void {
    const waiting = this.#gathering.get(id);
    this.#gathering.delete(id);
    if (answer === undefined) waiting?.reject(new Error("the metrics of all workers cannot be had"));
    else waiting?.resolve(answer);
  }

  async answer(id: number, question: Question): Promise<void> {
    const { side } = this.#gateway;
    try {
      if (side === undefined) throw new Error("the worker is still starting");
      const answer = question.about === "metrics" ? await side.renderMetrics() : await side.control(question.request);
      this.#io.send({ type: "answer", id, answer });
    } catch (error) {
      this.#logger.error({ about: question.about, reason: messageOf(error) }, "a question cannot be answered");
      this.#io.send({ type: "unanswered", id, reason: messageOf(error) });
    }
  }

  /** The primary answers always, and this process ends with it. */
  #gather(): Promise<SideAnswer> {
    const id = this.#gathered;
    this.#gathered += 1;
    const waiting = Promise.withResolvers<SideAnswer>();
    this.#gathering.set(id, waiting);
    this.#io.send({ type: "gather", id });
    return waiting.promise;
  }
}

function failureOf(error: unknown): StartFailure {
  const root = isGatewayError(error, "LIFECYCLE_START_FAILED") ? rootOf(error) : error;
  return { message: messageOf(root), listen: findListenError(error) };
}

function rootOf(error: GatewayError): unknown {
  return error.cause ?? error;
}
