/** How a node does; the first two get traffic (APISIX: health check states). */
export type HealthState = "healthy" | "mostly_healthy" | "mostly_unhealthy" | "unhealthy";

/** What went wrong: an answer's status, the connection, or silence. */
export type FailureKind = "http" | "tcp" | "timeout";

/** Observations since the last of the opposite kind, by their names in the Control API. */
export interface HealthCounters {
  readonly success: number;
  readonly http_failure: number;
  readonly tcp_failure: number;
  readonly timeout_failure: number;
}

const COUNTER_OF = { http: "http_failure", tcp: "tcp_failure", timeout: "timeout_failure" } as const;

/**
 * The state machine of one node (APISIX: health check, `resty.healthcheck`). Probes and requests report to it; each
 * report brings its own limit, because the two have limits of their own. A limit of 0 switches a counter off.
 */
export class NodeHealth {
  #state: HealthState = "healthy";
  readonly #counters = { success: 0, http_failure: 0, tcp_failure: 0, timeout_failure: 0 };

  get state(): HealthState {
    return this.#state;
  }

  get isUp(): boolean {
    return this.#state === "healthy" || this.#state === "mostly_healthy";
  }

  get counters(): HealthCounters {
    return { ...this.#counters };
  }

  /** A good answer: it takes all failures back, and after `limit` of them the node is healthy. */
  reportSuccess(limit: number): void {
    if (limit === 0 || this.#state === "healthy") return;
    const counters = this.#counters;
    counters.success += 1;
    counters.http_failure = 0;
    counters.tcp_failure = 0;
    counters.timeout_failure = 0;
    if (counters.success >= limit) this.#state = "healthy";
    else if (this.#state === "unhealthy") this.#state = "mostly_unhealthy";
  }

  /** A failure: it takes the successes back, not failures of other kinds; after `limit` of its kind the node is out. */
  reportFailure(kind: FailureKind, limit: number): void {
    if (limit === 0 || this.#state === "unhealthy") return;
    const counters = this.#counters;
    counters[COUNTER_OF[kind]] += 1;
    counters.success = 0;
    if (counters[COUNTER_OF[kind]] >= limit) this.#state = "unhealthy";
    else if (this.#state === "healthy") this.#state = "mostly_healthy";
  }
}
