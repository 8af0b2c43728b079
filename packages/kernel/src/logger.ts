/** Structured fields of one log line. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Port for structured logging; a pino logger satisfies it as it is.
 *
 * Arguments are fields first, then a lower-case sentence. Nothing secret goes into either.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

/** A logger that drops everything: the default of tests and optional ports. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
