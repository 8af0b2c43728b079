const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a time in nginx's notation (`60s`, `500ms`, a number of seconds); nothing for what is none. */
export function parseDurationMs(value: unknown): number | undefined {
  const match = /^(\d+)(ms|s|m|h)?$/.exec(String(value));
  return match === null ? undefined : Number(match[1]) * (UNITS[match[2] ?? "s"] ?? 1_000);
}
