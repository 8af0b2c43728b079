import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "@fngate/kernel";

interface Sleeper {
  readonly due: number;
  wake(): void;
}

/** How many turns of the event loop woken code gets to go back to sleep before time moves on. */
const SETTLE_TURNS = 3;

/** A clock that stands still until a test moves it; starts at `startMs` (default: 2030-01-01T00:00:00Z). */
export class FakeClock implements Clock {
  readonly #startMs: number;
  #elapsedMs = 0;
  readonly #sleepers = new Set<Sleeper>();
  readonly #watchers = new Set<() => void>();

  constructor(startMs: number = Date.UTC(2030, 0, 1)) {
    this.#startMs = startMs;
  }

  now(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper: Sleeper = { due: this.#elapsedMs + Math.max(0, ms), wake: resolve };
    const onAbort = () => {
      this.#sleepers.delete(sleeper);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#sleepers.add(sleeper);
    for (const notify of this.#watchers) notify();
    return promise.finally(() => signal?.removeEventListener("abort", onAbort));
  }

  /** How many calls of {@link sleep} wait right now. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Resolves once at least `count` calls of {@link sleep} wait, so that a test advances no clock nobody reads yet. */
  async untilSleeping(count = 1): Promise<void> {
    while (this.#sleepers.size < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#watchers.add(resolve);
      await promise;
      this.#watchers.delete(resolve);
    }
  }

  /** Moves time by `ms`, waking every sleeper at its own moment and in order, those included that fall asleep meanwhile. */
  async advance(ms: number): Promise<void> {
    const target = this.#elapsedMs + ms;
    for (let next = this.#earliest(target); next !== undefined; next = this.#earliest(target)) {
      this.#elapsedMs = next.due;
      this.#sleepers.delete(next);
      next.wake();
      await settle();
    }
    this.#elapsedMs = target;
    await settle();
  }

  #earliest(target: number): Sleeper | undefined {
    let earliest: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.due <= target && (earliest === undefined || sleeper.due < earliest.due)) earliest = sleeper;
    }
    return earliest;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn += 1) await nextTurn();
}
