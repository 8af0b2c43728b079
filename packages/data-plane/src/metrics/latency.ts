/** APISIX's histogram bounds, milliseconds. */
export const LATENCY_BUCKETS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000,
] as const;

/** Counts of one histogram series; not yet cumulative, that is done when somebody looks. */
export class LatencySeries {
  /** One more than bounds: the last takes everything above. */
  readonly counts = new Array<number>(LATENCY_BUCKETS_MS.length + 1).fill(0);
  sumMs = 0;

  observe(ms: number): void {
    let index = 0;
    while (index < LATENCY_BUCKETS_MS.length && ms > (LATENCY_BUCKETS_MS[index] as number)) index += 1;
    this.counts[index] = (this.counts[index] as number) + 1;
    this.sumMs += ms;
  }
}
