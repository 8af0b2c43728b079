import type { Clock } from "@fngate/kernel";

/** Node's timers count in 32 bits; a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Waits that long, or until the request is over: then nobody asks for what comes after. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(Math.min(ms, LONGEST_MS), signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
