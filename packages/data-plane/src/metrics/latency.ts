/** APISIX's histogram bounds, milliseconds. */
export const LATENCY_BUCKETS_MS: readonly number[] = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000,
];

/** Counts of one histogram series; not yet cumulative, that is done when somebody looks. */
export class LatencySeries {
  /** One more than bounds: the last takes everything above. */
  readonly counts: number[];
  sumMs = 0;
  readonly #bounds: readonly number[];

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(ms: number): void {
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && ms > (bounds[index] as number)) index += 1;
    this.counts[index] = (this.counts[index] as number) + 1;
    this.sumMs += ms;
  }

  /** Begins anew. */
  reset(): void {
    this.counts.fill(0);
    this.sumMs = 0;
  }
}
