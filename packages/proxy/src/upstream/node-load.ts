/** An answer's weight in the average falls to 1/e in this time (APISIX: `ewma`). */
const DECAY_MS = 10_000;

/** A node without an answer for this long counts as new (APISIX: `ewma`). */
const FORGET_MS = 60_000;

/** How busy one node is and how fast it was; shared by all versions of its upstream. */
export class NodeLoad {
  /** Requests and WebSockets under way. */
  inFlight = 0;
  #averageMs = 0;
  #touchedMs = Number.NEGATIVE_INFINITY;

  /** Takes an answer's time into the average. */
  observe(tookMs: number, nowMs: number): void {
    const weight = this.#weightAt(nowMs);
    this.#averageMs = this.scoreMs(nowMs) + tookMs * (1 - weight);
    this.#touchedMs = nowMs;
  }

  /** The average time of its answers in milliseconds, falling while there are none; 0 for a node never heard of. */
  scoreMs(nowMs: number): number {
    return this.#averageMs * this.#weightAt(nowMs);
  }

  #weightAt(nowMs: number): number {
    const sinceMs = nowMs - this.#touchedMs;
    return sinceMs >= FORGET_MS ? 0 : Math.exp(-Math.max(sinceMs, 0) / DECAY_MS);
  }
}

/** The loads of an upstream's nodes, by address. */
export class UpstreamLoads {
  readonly #loads = new Map<string, NodeLoad>();

  of(address: string): NodeLoad {
    let load = this.#loads.get(address);
    if (load === undefined) {
      load = new NodeLoad();
      this.#loads.set(address, load);
    }
    return load;
  }

  /** Forgets nodes that are neither wanted any more nor busy. */
  keepOnly(addresses: ReadonlySet<string>): void {
    for (const [address, load] of this.#loads) {
      if (load.inFlight === 0 && !addresses.has(address)) this.#loads.delete(address);
    }
  }
}
