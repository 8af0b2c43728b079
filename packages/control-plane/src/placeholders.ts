import { type Clock, isGatewayError, type Logger, messageOf } from "@fngate/kernel";
import { PLACEHOLDER_VALUE, placeholderKeys } from "@fngate/schema";
import type { BoundedStore } from "./bounded-store.ts";

/** Pauses between attempts in milliseconds: 0.5 s, doubled up to 30 s, so that a store that comes back is found soon. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** What writing the placeholders needs. */
export interface PlaceholderOptions {
  readonly store: BoundedStore;
  readonly prefix: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Writes the directory keys that APISIX's data planes look for, where they are absent, and tries again for as long
 * as the store cannot be reached. Never rejects; ends early when the signal fires.
 */
export async function ensurePlaceholders(options: PlaceholderOptions): Promise<void> {
  const { store, prefix, logger, clock, signal } = options;
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      for (const key of placeholderKeys(prefix)) await ensurePlaceholder(store, key, signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ error: messageOf(error), pauseMs }, "placeholder keys not written yet");
    }
    await clock.sleep(pauseMs, signal).catch(() => {});
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

async function ensurePlaceholder(store: BoundedStore, key: string, signal: AbortSignal): Promise<void> {
  try {
    await store.put(key, PLACEHOLDER_VALUE, { expect: "absent", signal });
  } catch (error) {
    // A conflict says that the key is there, which is all that is wanted.
    if (!isGatewayError(error, "STORE_CONFLICT")) throw error;
  }
}
