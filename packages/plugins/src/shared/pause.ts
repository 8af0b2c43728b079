import type { Clock } from "@fngate/kernel";

/** Waits that long, or until the request is over: then nobody asks for what comes after. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
