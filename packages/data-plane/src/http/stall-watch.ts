import type { Clock } from "@fngate/kernel";

/** Default of {@link StallWatchOptions.limitMs} (APISIX: client_body_timeout). */
export const STALL_LIMIT_MS = 60_000;

/** How often the exchanges are looked at. */
const INTERVAL_MS = 5_000;

/** A moment of an exchange; two equal ones far apart mean that it stalled. */
export interface ExchangeProgress {
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** The gateway waits for the client: for more of its body, or for it to read. */
  readonly isAwaitingClient: boolean;
}

/** What can be watched. */
export interface Watchable {
  readonly progress: ExchangeProgress;
}

interface Sighting {
  readonly progress: ExchangeProgress;
  readonly atMs: number;
}

/** How a {@link StallWatch} works. */
export interface StallWatchOptions<TExchange extends Watchable> {
  readonly clock: Clock;
  /** Time without a byte from a client that owes one, or that should read one, milliseconds. */
  readonly limitMs: number;
  /** Ends an exchange that stalled. */
  readonly onStall: (exchange: TExchange) => void;
}

/** One exchange's place in the watch's list; the list's own head holds none. */
export class WatchedExchange<TExchange extends Watchable> {
  readonly exchange: TExchange | undefined;
  sighting: Sighting | undefined = undefined;
  previous: WatchedExchange<TExchange> = this;
  next: WatchedExchange<TExchange> = this;

  constructor(exchange: TExchange | undefined) {
    this.exchange = exchange;
  }
}

/**
 * Finds clients that stall in the middle of a request or answer. One timer looks at all exchanges, so that a
 * request costs no timer; waiting for an upstream never counts. They are in a linked list because a map into which
 * every request goes and comes out again rehashes all the time.
 */
export class StallWatch<TExchange extends Watchable> {
  readonly #clock: Clock;
  readonly #onStall: StallWatchOptions<TExchange>["onStall"];
  readonly #limitMs: number;
  readonly #head = new WatchedExchange<TExchange>(undefined);
  readonly #stopping = new AbortController();
  #isRunning = false;
  #size = 0;

  constructor(options: StallWatchOptions<TExchange>) {
    this.#clock = options.clock;
    this.#onStall = options.onStall;
    this.#limitMs = options.limitMs;
  }

  /** Exchanges under way. */
  get size(): number {
    return this.#size;
  }

  *exchanges(): IterableIterator<TExchange> {
    for (const { exchange } of this.#watched()) if (exchange !== undefined) yield exchange;
  }

  /** Watches an exchange until its place is given to {@link StallWatch.delete}. */
  add(exchange: TExchange): WatchedExchange<TExchange> {
    const watched = new WatchedExchange(exchange);
    const last = this.#head.previous;
    watched.previous = last;
    watched.next = this.#head;
    last.next = watched;
    this.#head.previous = watched;
    this.#size += 1;
    if (!this.#isRunning) void this.#run();
    return watched;
  }

  /** Ends the watch; call it once. */
  delete({ previous, next }: WatchedExchange<TExchange>): void {
    previous.next = next;
    next.previous = previous;
    this.#size -= 1;
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (!this.#stopping.signal.aborted) {
      await this.#clock.sleep(Math.min(INTERVAL_MS, this.#limitMs), this.#stopping.signal).catch(() => {});
      for (const watched of this.#watched()) this.#look(watched);
    }
  }

  *#watched(): IterableIterator<WatchedExchange<TExchange>> {
    for (let watched = this.#head.next; watched !== this.#head; watched = watched.next) yield watched;
  }

  #look(watched: WatchedExchange<TExchange>): void {
    const { exchange, sighting: last } = watched;
    if (exchange === undefined) return;
    const progress = exchange.progress;
    const nowMs = this.#clock.monotonicMs();
    if (last === undefined || !progress.isAwaitingClient || !isSame(progress, last.progress)) {
      watched.sighting = { progress, atMs: nowMs };
    } else if (nowMs - last.atMs >= this.#limitMs) this.#onStall(exchange);
  }
}

function isSame(one: ExchangeProgress, other: ExchangeProgress): boolean {
  return (
    one.receivedBytes === other.receivedBytes &&
    one.sentBytes === other.sentBytes &&
    one.isAwaitingClient === other.isAwaitingClient
  );
}
