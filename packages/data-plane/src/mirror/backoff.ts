/**
 * Waits between attempts to reach the store: 100, 200, 400, … ms, at most 10 s, each lengthened by up to half
 * (so that many data planes do not return together). 100 ms keeps a restarted store's gap short; after seven
 * failures in a row (100 · 2^7 > 10 000) an outage costs one attempt per 10 to 15 s. A connection that held for
 * 30 s proves the store sound, and the next failure starts at 100 ms again; one that dies sooner does not, or a
 * store that accepts and drops watches would be asked in a tight loop.
 */
export const BACKOFF = { firstMs: 100, capMs: 10_000, factor: 2, jitter: 0.5, resetAfterMs: 30_000 } as const;

/** Counts failures and says how long to wait; see {@link BACKOFF} for the numbers. */
export class Backoff {
  readonly #random: () => number;
  #nextMs: number = BACKOFF.firstMs;

  /** @param random numbers in `[0, 1)`. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Milliseconds to wait after a failure of something that had held for `heldMs`. */
  afterFailure(heldMs: number): number {
    if (heldMs >= BACKOFF.resetAfterMs) this.#nextMs = BACKOFF.firstMs;
    const baseMs = this.#nextMs;
    this.#nextMs = Math.min(BACKOFF.capMs, baseMs * BACKOFF.factor);
    return baseMs * (1 + BACKOFF.jitter * this.#random());
  }
}
