/** A limit on how often something happens in a window of time. */
export interface WindowRule {
  readonly limit: number;
  readonly windowSeconds: number;
  /** `fixed`: from the first event on. `sliding`: the past window counts in proportion to what is left of it. */
  readonly kind: "fixed" | "sliding";
}

/** What an event did to its window. */
export interface WindowOutcome {
  readonly isAllowed: boolean;
  /** Events left, whole. */
  readonly remaining: number;
  /** Until the window ends, or until the next event is allowed. */
  readonly resetSeconds: number;
}

/** A bucket that leaks at a rate and holds a burst. */
export interface BucketRule {
  readonly ratePerSecond: number;
  readonly burst: number;
}

/** What an event did to its bucket. */
export interface BucketOutcome {
  readonly isAllowed: boolean;
  /** How long the event has to wait for its turn. */
  readonly delaySeconds: number;
}

/** A limit on how much happens at once. */
export interface SlotRule {
  readonly limit: number;
  /** After this long an occupant counts as gone, for stores that outlive the gateway. */
  readonly ttlSeconds: number;
}

/** A place that was taken; it has to be given back. */
export interface Slot {
  /** How many places are taken, this one included. */
  readonly taken: number;
  /** Gives the place back, once. Never throws. */
  leave(): void;
}

/** A value now, or soon. */
export type Eventual<TValue> = TValue | Promise<TValue>;

/**
 * What the limiting plugins count with: in this process, or in Redis for several gateways. Keys are any text. The ones
 * of a process answer at once; those of Redis promise, and reject when it cannot be asked.
 */
export interface Counters {
  /** Counts an event; those that exceed a fixed window's limit are counted too. */
  countInWindow(key: string, rule: WindowRule): Eventual<WindowOutcome>;
  /** Puts an event into a leaky bucket; the first one of a key never waits. */
  pourIntoBucket(key: string, rule: BucketRule): Eventual<BucketOutcome>;
  /** Takes a place; nothing when all are taken. */
  takeSlot(key: string, rule: SlotRule): Eventual<Slot | undefined>;
}
