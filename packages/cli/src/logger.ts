import type { Logger } from "@fngate/kernel";
import { type DestinationStream, pino, stdTimeFunctions } from "pino";
import type { ByteStream } from "./access-log-file.ts";
import type { LogLevel } from "./config/settings.ts";
import { gatherLines } from "./gathered-lines.ts";
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
   * Where lines go; default: standard error, when the event that they are about is over (see {@link gatherLines}), and
   * for people instead of programs when that is a terminal.
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
  const bytes: ByteStream = pino.destination({ dest: 2, sync: true, contentMode: "buffer" });
  const lines = gatherLines((piece) => bytes.write(piece));
  return process.stderr.isTTY ? readableLog(lines.write) : lines;
}
