/** What a message says. */
export interface SyslogMessage {
  /** Wall-clock milliseconds since the epoch. */
  readonly atMs: number;
  /** Host that the request asked for. */
  readonly host: string;
  readonly processId: string;
  /** One line. */
  readonly text: string;
}

/** Facility `syslog` (5), severity informational (6): RFC 5424, 6.2.1. */
const PRIORITY = 5 * 8 + 6;

/** RFC 5424, 6: printable characters without the space. */
const UNPRINTABLE = /[^\x21-\x7e]/g;

const MAX_HOST_LENGTH = 255;

/** A message of RFC 5424 without structured data, with the line feed that separates messages over TCP (RFC 6587). */
export function renderSyslogMessage({ atMs, host, processId, text }: SyslogMessage): string {
  const time = new Date(atMs).toISOString();
  const name = host.replace(UNPRINTABLE, "?").slice(0, MAX_HOST_LENGTH) || "-";
  return `<${PRIORITY}>1 ${time} ${name} apisix ${processId} - - ${text}\n`;
}
