import { isGatewayError, type Logger, messageOf } from "@fngate/kernel";
import type { Settings } from "./config/settings.ts";

/** A gateway as far as it can be given other settings. */
export interface Reloadable {
  /**
   * Goes over to settings that were read again, and tells which keys wait for a restart; rejects, and goes on as it was,
   * when it cannot serve by them. Absent where the process that serves is the one that was started.
   */
  readonly reload: ((read: Settings) => Promise<readonly string[]>) | undefined;
}

export interface ReloadOptions {
  readonly gateway: Reloadable;
  readonly logger: Logger;
  /** Reads the configuration as a start would; raises what a start would raise. */
  readonly read: () => Promise<Settings>;
}

/**
 * What SIGHUP asks for, one after the other: those that come while one is on are one more. A configuration that cannot
 * be used changes nothing, as with nginx.
 */
export function createReload(options: ReloadOptions): () => void {
  let running = false;
  let isWanted = false;
  const runAll = async (): Promise<void> => {
    running = true;
    while (isWanted) {
      isWanted = false;
      await reload(options);
    }
    running = false;
  };
  return () => {
    isWanted = true;
    if (!running) void runAll();
  };
}

async function reload({ gateway, logger, read }: ReloadOptions): Promise<void> {
  const { reload: goOver } = gateway;
  if (goOver === undefined) {
    const why = "config.yaml is read at the start only where one process serves: a change in it needs a restart";
    logger.warn({ event: "reload-refused" }, why);
    return;
  }
  try {
    const waiting = await goOver(await read());
    if (waiting.length > 0) {
      logger.warn({ event: "reload", keys: waiting }, "changes of some keys need a restart and are not in force");
    }
    logger.info({ event: "reloaded" }, "the configuration was read again and is in force");
  } catch (error) {
    const problems = isGatewayError(error) ? error.details["problems"] : undefined;
    const fields = { event: "reload-refused", reason: messageOf(error), ...(Array.isArray(problems) && { problems }) };
    logger.error(fields, "the configuration cannot be used, the one before stays in force");
  }
}
