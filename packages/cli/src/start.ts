import { GatewayError, isGatewayError, type Logger, messageOf, type StopOutcome, systemClock } from "@fngate/kernel";
import { renderBanner } from "./banner.ts";
import type { CommandIo } from "./command-io.ts";
import { compose, type Gateway, listenerOfFailure } from "./compose.ts";
import { type Flags, type LoadedConfig, loadConfig } from "./config/load.ts";
import { createSettings, type Settings } from "./config/settings.ts";
import { EXIT_CODES, type ExitCode } from "./exit-codes.ts";
import { type BoundListener, explainTakenPort, findListenError } from "./listening.ts";
import { createLogger } from "./logger.ts";
import { createReload } from "./reload.ts";
import { StopSignals } from "./stop-signals.ts";
import { UpkeepSignals } from "./upkeep-signals.ts";

/** How often a data plane that waits for its first configuration is looked at, in milliseconds. */
const READY_POLL_MS = 20;

/**
 * `fngate start`: runs the gateway until a signal and returns the exit code. Raises `CONFIG_INVALID` and
 * `LIFECYCLE_START_FAILED` with a message for the operator.
 */
export async function start(flags: Flags, io: CommandIo): Promise<ExitCode> {
  const file = typeof flags["config"] === "string" ? flags["config"] : undefined;
  const load = (): Promise<LoadedConfig> => loadConfig({ file, environment: io.environment, flags });
  const loaded = await load();
  const settings = createSettings(loaded.config, io.workingDirectory, file);
  const logger = createLogger({ level: settings.logLevel });
  warnOf(loaded, logger);
  const readAgain = async (): Promise<Settings> => {
    const again = await load();
    warnOf(again, logger);
    return createSettings(again.config, io.workingDirectory, file);
  };
  using signals = new StopSignals({
    source: io.signals,
    clock: systemClock,
    isAtTerminal: isAtTerminal(io),
    onForce: () => io.exitNow(EXIT_CODES.forced),
  });
  // Waiting for a drain must not end the process for want of anything else to do.
  const keepAlive = setInterval(() => undefined, 60_000);
  try {
    return await runGateway({ settings, loaded, logger, signals, io, readAgain });
  } finally {
    clearInterval(keepAlive);
  }
}

function warnOf({ warnings }: LoadedConfig, logger: Logger): void {
  for (const warning of warnings) logger.warn({ event: "config" }, warning);
}

/** Whether a hang-up means that a terminal was closed. */
function isAtTerminal({ confirm }: CommandIo): boolean {
  return confirm !== undefined;
}

interface GatewayRun {
  readonly settings: Settings;
  readonly loaded: LoadedConfig;
  readonly logger: Logger;
  readonly signals: StopSignals;
  readonly io: CommandIo;
  /** The configuration as it is now; raises what a start would raise. */
  readonly readAgain: () => Promise<Settings>;
}

async function runGateway(run: GatewayRun): Promise<ExitCode> {
  const { settings, logger, signals } = run;
  const bound: BoundListener[] = [];
  const gateway = compose(settings, {
    logger,
    clock: systemClock,
    environment: run.io.environment,
    onListening: (listener) => {
      bound.push(listener);
      logger.info({ event: "listening", ...listener }, "listening");
    },
  });
  using _upkeep = new UpkeepSignals({
    source: run.io.signals,
    owner: gateway,
    reload: createReload({ gateway, logger, read: run.readAgain }),
    logger,
    isAtTerminal: isAtTerminal(run.io),
  });
  const stopped = stopOnSignal(gateway, run);
  let outcome: "started" | "stopped";
  try {
    outcome = await gateway.lifecycle.start();
  } catch (error) {
    throw explainFailedStart(error, settings);
  }
  const watching = new AbortController();
  if (outcome === "started") {
    announce(gateway, run, bound);
    void signals.stopRequested.then(() => watching.abort());
    void logReadiness(gateway, logger, watching.signal);
  }
  const { timedOut, failed } = await stopped;
  logger.info({ event: "stopped", timedOut, failed }, "stopped");
  await signals.keyPressEnded();
  return timedOut.length > 0 ? EXIT_CODES.drainDeadlinePassed : EXIT_CODES.ok;
}

async function stopOnSignal(gateway: Gateway, { settings, signals, logger }: GatewayRun): Promise<StopOutcome> {
  const signal = await signals.stopRequested;
  const deadlineMs = settings.drainMs;
  logger.info({ event: "stopping", signal, deadlineMs }, "stopping, a second signal ends at once");
  return gateway.lifecycle.stop({ deadlineMs });
}

function announce(
  gateway: Gateway,
  { settings, loaded, logger, io }: GatewayRun,
  bound: readonly BoundListener[],
): void {
  const { sampleFunctionProblem, generatedKeyFile } = gateway;
  const sampleProblem = sampleFunctionProblem && explainSampleFunction(sampleFunctionProblem, settings);
  if (sampleProblem) logger.warn({ event: "sample-function" }, `no sample function: ${sampleProblem}`);
  const notes = sampleProblem ? [`No sample function: ${sampleProblem}.`] : [];
  io.stdout.write(renderBanner({ settings, bound, notes, generatedKeyFile, isQuickStart: loaded.isQuickStart }));
}

function explainSampleFunction(problem: unknown, settings: Settings): string {
  const port = settings.sampleFunction?.port ?? 0;
  const isTaken = /EADDRINUSE|in use|taken/.test(messageOf(problem));
  return isTaken ? explainTakenPort("sample-function", "127.0.0.1", port) : messageOf(problem);
}

async function logReadiness(gateway: Gateway, logger: Logger, signal: AbortSignal): Promise<void> {
  try {
    while (!gateway.isReady) await systemClock.sleep(READY_POLL_MS, signal);
    logger.info({ event: "ready" }, "ready");
  } catch {
    // Told to stop before the first configuration came.
  }
}

/** A taken port is the operator's most likely mistake, so it gets a sentence that says what to do. */
function explainFailedStart(error: unknown, settings: Settings): unknown {
  const failure = findListenError(error);
  const details = { problems: [rootMessage(error)] };
  if (failure?.code === "EADDRINUSE") {
    details.problems = [explainTakenPort(listenerOfFailure(error, settings), failure.address, failure.port)];
  }
  return new GatewayError("LIFECYCLE_START_FAILED", messageOf(error), { cause: error, details });
}

function rootMessage(error: unknown): string {
  const cause = isGatewayError(error, "LIFECYCLE_START_FAILED") ? error.cause : undefined;
  // These are the operator's to mend, and say where: which stage noticed is no help.
  const isOwn = isGatewayError(cause, "CONFIG_INVALID") || isGatewayError(cause, "PLUGIN_INVALID");
  return messageOf(isOwn ? cause : error);
}
