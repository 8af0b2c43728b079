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
  /** Begins to read the configuration again. */
  readonly reload: () => void;
  readonly logger: Logger;
  /** A hang-up says that the terminal was closed, and is somebody else's business. */
  readonly isAtTerminal: boolean;
}

/**
 * Signals that ask for something while the gateway runs on: SIGUSR1 for log files to be opened again, after they were
 * moved; SIGHUP for that and for the configuration to be read again, as with nginx (APISIX: `apisix reload`).
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
    const { logger, owner, reload } = this.#options;
    void reopenLogs(owner, logger);
    if (signal === "SIGHUP") reload();
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
