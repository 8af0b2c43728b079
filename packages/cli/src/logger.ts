import type { Logger } from "@fngate/kernel";
import { type DestinationStream, pino, stdTimeFunctions } from "pino";
import type { LogLevel } from "./config/settings.ts";

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
  /** Where lines go; default: standard error, written at once so that nothing is lost when the process ends. */
  readonly destination?: DestinationStream;
}

/** A logger that writes one JSON object per line. */
export function createLogger({
  level,
  destination = pino.destination({ dest: 2, sync: true }),
}: LoggerOptions): Logger {
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
