import type { Logger } from "@fngate/kernel";
import { type DestinationStream, pino, stdTimeFunctions } from "pino";
import type { LogLevel } from "./config/settings.ts";
import { readableLog } from "./readable-log.ts";

/** pino's name for each of nginx's severities. */
const PINO_LEVELS: Readonly<Record<LogLevel, string>> = {
  debug: "debug",
  info: "info",
  notice: "info",
  warn: "warn",
  error: "error",
  crit: "fatal",
  alert: "fatal",
  emerg: "fatal",
};

/** What {@link createLogger} needs. */
export interface LoggerOptions {
  readonly level: LogLevel;
  /**
   * Where lines go; default: standard error, written at once so that nothing is lost when the process ends, and for
   * people instead of programs when that is a terminal.
   */
  readonly destination?: DestinationStream;
}

/** A logger that writes one JSON object per line. */
export function createLogger({ level, destination = standardError() }: LoggerOptions): Logger {
  return pino(
    {
      level: PINO_LEVELS[level],
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

function standardError(): DestinationStream {
  const destination = pino.destination({ dest: 2, sync: true });
  return process.stderr.isTTY ? readableLog((text) => destination.write(text)) : destination;
}
