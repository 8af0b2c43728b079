import type { DestinationStream } from "pino";

/**
 * A destination for pino that writes each line for people: time of day, severity, message, then the fields as
 * `name=value` with values in JSON, so that nothing in a value can forge a line or move the cursor.
 */
export function readableLog(write: (text: string) => void): DestinationStream {
  return {
    write(line: string): void {
      const { time, level, msg, pid: _pid, event: _event, ...fields }: Record<string, unknown> = JSON.parse(line);
      const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
      write(`${String(time).slice(11, 19)} ${level} ${printable(String(msg))}${rest.join("")}\n`);
    },
  };
}

function printable(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
