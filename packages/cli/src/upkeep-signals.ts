import { type Logger, messageOf } from "@fngate/kernel";
import type { SignalSource } from "./command-io.ts";

/** Whoever has log files open. */
export interface LogOwner {
  /** Opens them under their names again; rejects when one cannot be opened. */
  reopenLogs(): Promise<void>;
}

export interface UpkeepOptions {
  readonly source: SignalSource;
  readonly owner: LogOwner;
  readonly logger: Logger;
  /** A hang-up says that the terminal was closed, and is somebody else's business. */
  readonly isAtTerminal: boolean;
}

/**
 * Signals that ask for something while the gateway runs on: SIGUSR1 for log files to be opened again, after they were
 * moved; SIGHUP, by which nginx reads its configuration again (APISIX: `apisix reload`), for the same, since the file
 * is read at the start only and everything else is followed anyway.
 */
export class UpkeepSignals implements Disposable {
  readonly #options: UpkeepOptions;
  readonly #signals: readonly NodeJS.Signals[];

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#signals = options.isAtTerminal ? ["SIGUSR1"] : ["SIGUSR1", "SIGHUP"];
    for (const signal of this.#signals) options.source.on(signal, this.#receive);
  }

  [Symbol.dispose](): void {
    for (const signal of this.#signals) this.#options.source.off(signal, this.#receive);
  }

  readonly #receive = (signal: NodeJS.Signals): void => {
    const { logger, owner } = this.#options;
    if (signal === "SIGHUP") {
      logger.warn({ event: "reload" }, "config.yaml is read at the start only: a change in it needs a restart");
    }
    void reopenLogs(owner, logger);
  };
}

/** Opens log files again and says how that went. */
export async function reopenLogs(owner: LogOwner, logger: Logger): Promise<void> {
  try {
    await owner.reopenLogs();
    logger.info({ event: "logs-reopened" }, "log files are open under their names again");
  } catch (error) {
    const reason = messageOf(error);
    logger.error({ event: "logs-not-reopened", reason }, "a log file cannot be opened again, the old one stays in use");
  }
}
