/** How long a worker must have lived for its end to count as the first one, in milliseconds. */
const LONG_LIFE_MS = 10_000;

/** The first delay, and the longest: 0.1, 0.2, 0.4, ... 12.8 s, then 30 s. */
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 30_000;

/** How long to wait before a worker is started again; grows while it ends soon after each start. */
export function restartDelayMs(lives: { readonly startedMs: number; failures: number }, nowMs: number): number {
  lives.failures = nowMs - lives.startedMs >= LONG_LIFE_MS ? 1 : lives.failures + 1;
  return Math.min(FIRST_DELAY_MS * 2 ** (lives.failures - 1), LONGEST_DELAY_MS);
}
