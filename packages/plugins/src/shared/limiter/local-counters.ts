import type { Clock } from "@fngate/kernel";
import { BoundedMap } from "../bounded-map.ts";
import type { BucketOutcome, BucketRule, Counters, Slot, SlotRule, WindowOutcome, WindowRule } from "./counters.ts";
import { carriedOver, isWithinLimit, positionOf, slidingOutcome } from "./sliding-window.ts";

interface FixedWindow {
  readonly kind: "fixed";
  count: number;
  endsAtMs: number;
}

interface SlidingWindow {
  readonly kind: "sliding";
  id: number;
  current: number;
  previous: number;
}

interface Bucket {
  readonly kind: "bucket";
  excess: number;
  lastMs: number;
}

/**
 * Keys are often what clients choose, and as long as they choose: beyond so much, the ones untouched for longest are
 * forgotten. Room for about 100,000 keys of usual length.
 */
export const LOCAL_COUNTERS_BYTES = 32 * 2 ** 20;

/** What a counter weighs beside its key, as measured on Node.js 24. */
const OVERHEAD_BYTES = 200;

function weightOf(key: string): number {
  return OVERHEAD_BYTES + key.length * 2;
}

/** Counters of this process; every answer is at hand. */
export class LocalCounters implements Counters {
  readonly #clock: Clock;
  readonly #tellBytes: (bytes: number) => void;
  readonly #states = new BoundedMap<string, FixedWindow | SlidingWindow | Bucket>(LOCAL_COUNTERS_BYTES, weightOf);
  /** Not bounded: every entry is a request in flight. */
  readonly #slots = new Map<string, number>();

  /** @param tellBytes is told how much is kept whenever that changes */
  constructor(clock: Clock, tellBytes: (bytes: number) => void = () => {}) {
    this.#clock = clock;
    this.#tellBytes = tellBytes;
  }

  countInWindow(key: string, rule: WindowRule): WindowOutcome {
    return rule.kind === "fixed" ? this.#countFixed(key, rule) : this.#countSliding(key, rule);
  }

  pourIntoBucket(key: string, { burst, ratePerSecond }: BucketRule): BucketOutcome {
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#states.get(key);
    if (bucket?.kind !== "bucket") {
      this.#keep(key, { kind: "bucket", excess: 0, lastMs: nowMs });
      return { isAllowed: true, delaySeconds: 0 };
    }
    const excess = Math.max(bucket.excess - (ratePerSecond * (nowMs - bucket.lastMs)) / 1000 + 1, 0);
    if (excess > burst) return { isAllowed: false, delaySeconds: 0 };
    bucket.excess = excess;
    bucket.lastMs = nowMs;
    return { isAllowed: true, delaySeconds: excess / ratePerSecond };
  }

  takeSlot(key: string, { limit }: SlotRule): Slot | undefined {
    const taken = (this.#slots.get(key) ?? 0) + 1;
    if (taken > limit) return undefined;
    this.#slots.set(key, taken);
    let isTaken = true;
    return {
      taken,
      leave: () => {
        if (isTaken) this.#leave(key);
        isTaken = false;
      },
    };
  }

  #countFixed(key: string, { limit, windowSeconds }: WindowRule): WindowOutcome {
    const nowMs = this.#clock.monotonicMs();
    let window = this.#states.get(key);
    if (window?.kind !== "fixed" || window.endsAtMs <= nowMs) {
      window = { kind: "fixed", count: 0, endsAtMs: nowMs + windowSeconds * 1000 };
      this.#keep(key, window);
    }
    window.count += 1;
    return {
      isAllowed: window.count <= limit,
      remaining: Math.max(limit - window.count, 0),
      // Taking away what was just added does not always give the window back: the clock has fractions.
      resetSeconds: window.count === 1 ? windowSeconds : (window.endsAtMs - nowMs) / 1000,
    };
  }

  #countSliding(key: string, rule: WindowRule): WindowOutcome {
    const position = positionOf(this.#clock.now(), rule);
    let window = this.#states.get(key);
    if (window?.kind !== "sliding") {
      window = { kind: "sliding", id: position.id, current: 0, previous: 0 };
      this.#keep(key, window);
    }
    if (window.id !== position.id) {
      window.previous = window.id === position.id - 1 ? window.current : 0;
      window.current = 0;
      window.id = position.id;
    }
    const carried = carriedOver(window.previous, rule, position.remainingSeconds);
    const isAllowed = isWithinLimit(window.current, carried, rule);
    if (isAllowed) window.current += 1;
    return slidingOutcome(isAllowed, window, { position, rule });
  }

  #keep(key: string, state: FixedWindow | SlidingWindow | Bucket): void {
    this.#states.set(key, state);
    this.#tellBytes(this.#states.weight);
  }

  #leave(key: string): void {
    const left = (this.#slots.get(key) ?? 1) - 1;
    if (left === 0) this.#slots.delete(key);
    else this.#slots.set(key, left);
  }
}
