import type { LogFields, Logger } from "@fngate/kernel";

/** One line a {@link RecordingLogger} took. */
export interface RecordedLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: LogFields;
  readonly message: string;
}

/** A logger that keeps every line, those of its children included. */
export interface RecordingLogger extends Logger {
  readonly lines: readonly RecordedLine[];
}

/** Makes a {@link RecordingLogger}. */
export function recordingLogger(): RecordingLogger {
  const lines: RecordedLine[] = [];
  return { ...loggerInto(lines, {}), lines };
}

function loggerInto(lines: RecordedLine[], base: LogFields): Logger {
  const record = (level: RecordedLine["level"]) => (fields: LogFields, message: string) => {
    lines.push({ level, fields: { ...base, ...fields }, message });
  };
  return {
    debug: record("debug"),
    info: record("info"),
    warn: record("warn"),
    error: record("error"),
    child: (fields) => loggerInto(lines, { ...base, ...fields }),
  };
}
