import type { Clock } from "@fngate/kernel";
import type { ExchangeProgress, Http1Exchange } from "./http1-exchange.ts";

/** Time without a byte from a client that owes one, or that should read one (APISIX: client_body_timeout, send_timeout). */
export const STALL_LIMIT_MS = 60_000;

/** How often the exchanges are looked at. */
const INTERVAL_MS = 5_000;

interface Sighting {
  readonly progress: ExchangeProgress;
  readonly atMs: number;
}

/**
 * Cuts off clients that stall in the middle of a request or answer. One timer looks at all exchanges, so that a
 * request costs no timer; waiting for an upstream never counts.
 */
export class StallWatch {
  readonly #clock: Clock;
  readonly #sightings = new Map<Http1Exchange, Sighting | undefined>();
  readonly #stopping = new AbortController();
  #isRunning = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Exchanges under way. */
  get size(): number {
    return this.#sightings.size;
  }

  exchanges(): Iterable<Http1Exchange> {
    return this.#sightings.keys();
  }

  add(exchange: Http1Exchange): void {
    this.#sightings.set(exchange, undefined);
    if (!this.#isRunning) void this.#run();
  }

  delete(exchange: Http1Exchange): void {
    this.#sightings.delete(exchange);
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (!this.#stopping.signal.aborted) {
      await this.#clock.sleep(INTERVAL_MS, this.#stopping.signal).catch(() => {});
      for (const [exchange, last] of this.#sightings) this.#look(exchange, last);
    }
  }

  #look(exchange: Http1Exchange, last: Sighting | undefined): void {
    const progress = exchange.progress;
    const nowMs = this.#clock.monotonicMs();
    if (last === undefined || !progress.isAwaitingClient || !isSame(progress, last.progress)) {
      this.#sightings.set(exchange, { progress, atMs: nowMs });
    } else if (nowMs - last.atMs >= STALL_LIMIT_MS) exchange.cut();
  }
}

function isSame(one: ExchangeProgress, other: ExchangeProgress): boolean {
  return (
    one.receivedBytes === other.receivedBytes &&
    one.sentBytes === other.sentBytes &&
    one.isAwaitingClient === other.isAwaitingClient
  );
}
