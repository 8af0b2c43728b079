import { setTimeout as delay } from "node:timers/promises";

/** Port for time, so that tests decide how it passes. */
export interface Clock {
  /** Wall-clock milliseconds since the epoch. */
  now(): number;
  /** Milliseconds of a clock that never steps back; only differences mean something. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds, however many; rejects with the signal's reason when aborted before. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own time. Sleeping does not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    inPieces(ms, (pieceMs) =>
      delay(pieceMs, undefined, signal === undefined ? { ref: false } : { ref: false, signal }),
    ),
};

/** Longest delay of a timer, milliseconds, 24.8 days: a longer one would fire at once (Node.js: `setTimeout`). */
const LONGEST_TIMER_MS = 2_147_483_647;

/** The delay of a timer that ends something late: what may take longer than a timer can wait is ended by the longest. */
export function timerDelay(ms: number): number {
  return Math.min(ms, LONGEST_TIMER_MS);
}

/** Waits for longer than a timer can, one wait after the other. */
export async function inPieces(ms: number, wait: (pieceMs: number) => Promise<void>): Promise<void> {
  let leftMs = ms;
  do {
    const pieceMs = timerDelay(leftMs);
    await wait(pieceMs);
    leftMs -= pieceMs;
  } while (leftMs > 0);
}
