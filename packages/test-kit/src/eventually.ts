import { setTimeout as delay } from "node:timers/promises";

/** How long and how often {@link eventually} tries, in milliseconds. */
export interface EventuallyOptions {
  /** Default 15 000: a busy machine may take long for what takes milliseconds elsewhere. */
  readonly deadlineMs?: number;
  /** Pause between tries; default 10. */
  readonly intervalMs?: number;
}

/**
 * Tries `condition` until it neither throws nor answers `false`, and returns its answer.
 *
 * When the deadline passes first, it throws the last error of `condition`, or one that says so.
 */
export async function eventually<TValue>(
  condition: () => TValue | Promise<TValue>,
  { deadlineMs = 15_000, intervalMs = 10 }: EventuallyOptions = {},
): Promise<TValue> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    let failure: unknown;
    try {
      const value = await condition();
      if (value !== false) return value;
      failure = new Error(`the condition did not become true within ${deadlineMs} ms`);
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= deadline) throw failure;
    await delay(intervalMs);
  }
}
