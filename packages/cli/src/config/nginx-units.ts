import { timerDelay } from "@fngate/kernel";

const TIME_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Text form of an nginx time, such as `60s`, `500ms` or `1h30m`. */
export const NGINX_TIME = /^(?:\d+(?:ms|s|m|h|d)?)(?:\s*\d+(?:ms|s|m|h|d))*$/;

/** Milliseconds of an nginx time, at most as many as a timer can wait; a bare number counts seconds. */
export function nginxTimeMs(time: string | number): number {
  if (typeof time === "number") return timerDelay(time * 1_000);
  let totalMs = 0;
  for (const [, amount, unit] of time.matchAll(/(\d+)(ms|s|m|h|d)?/g)) {
    totalMs += Number(amount) * (TIME_UNITS_MS[unit ?? "s"] ?? 0);
  }
  return timerDelay(totalMs);
}

const SIZE_UNITS: Readonly<Record<string, number>> = { k: 1_024, m: 1_048_576, g: 1_073_741_824 };

/** Text form of an nginx size, such as `8k` or `10m`. */
export const NGINX_SIZE = /^\d+[kmg]?$/i;

/** Bytes of an nginx size. */
export function nginxSizeBytes(size: string | number): number {
  if (typeof size === "number") return size;
  return Number.parseInt(size, 10) * (SIZE_UNITS[size.slice(-1).toLowerCase()] ?? 1);
}
