import type { Clock } from "@fngate/kernel";
import { BoundedMap } from "../bounded-map.ts";
import type { BucketOutcome, BucketRule, Counters, Slot, SlotRule, WindowOutcome, WindowRule } from "./counters.ts";
import { carriedOver, isWithinLimit, positionOf, slidingOutcome } from "./sliding-window.ts";

interface FixedWindow {
  count: number;
  endsAtMs: number;
}

interface SlidingWindow {
  id: number;
  current: number;
  previous: number;
}

interface Bucket {
  excess: number;
  lastMs: number;
}

/** Keys are often what clients choose: beyond this many, the ones untouched for longest are forgotten. */
const MAX_KEYS = 100_000;

/** Counters of this process; every answer is at hand. */
export class LocalCounters implements Counters {
  readonly #clock: Clock;
  readonly #fixed = new BoundedMap<string, FixedWindow>(MAX_KEYS);
  readonly #sliding = new BoundedMap<string, SlidingWindow>(MAX_KEYS);
  readonly #buckets = new BoundedMap<string, Bucket>(MAX_KEYS);
  /** Not bounded: every entry is a request in flight. */
  readonly #slots = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  countInWindow(key: string, rule: WindowRule): WindowOutcome {
    return rule.kind === "fixed" ? this.#countFixed(key, rule) : this.#countSliding(key, rule);
  }

  pourIntoBucket(key: string, { burst, ratePerSecond }: BucketRule): BucketOutcome {
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      this.#buckets.set(key, { excess: 0, lastMs: nowMs });
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
    let window = this.#fixed.get(key);
    if (window === undefined || window.endsAtMs <= nowMs) {
      window = { count: 0, endsAtMs: nowMs + windowSeconds * 1000 };
      this.#fixed.set(key, window);
    }
    window.count += 1;
    return {
      isAllowed: window.count <= limit,
      remaining: Math.max(limit - window.count, 0),
      resetSeconds: (window.endsAtMs - nowMs) / 1000,
    };
  }

  #countSliding(key: string, rule: WindowRule): WindowOutcome {
    const position = positionOf(this.#clock.now(), rule);
    const window = this.#sliding.get(key) ?? { id: position.id, current: 0, previous: 0 };
    if (window.id !== position.id) {
      window.previous = window.id === position.id - 1 ? window.current : 0;
      window.current = 0;
      window.id = position.id;
    }
    const carried = carriedOver(window.previous, rule, position.remainingSeconds);
    const isAllowed = isWithinLimit(window.current, carried, rule);
    if (isAllowed) window.current += 1;
    this.#sliding.set(key, window);
    return slidingOutcome(isAllowed, window, { position, rule });
  }

  #leave(key: string): void {
    const left = (this.#slots.get(key) ?? 1) - 1;
    if (left === 0) this.#slots.delete(key);
    else this.#slots.set(key, left);
  }
}
