import { createHash, randomUUID } from "node:crypto";
import { type Clock, type Logger, messageOf } from "@fngate/kernel";
import type { BucketOutcome, BucketRule, Counters, Slot, SlotRule, WindowOutcome, WindowRule } from "./counters.ts";
import type { RedisClient } from "./redis-client.ts";
import { FIXED_WINDOW, LEAKY_BUCKET, SLIDING_WINDOW, TAKE_SLOT } from "./redis-scripts.ts";
import { carriedOver, positionOf, slidingOutcome } from "./sliding-window.ts";

/** Ports of {@link RedisCounters}. */
export interface RedisCountersDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Counters in Redis, shared by all gateways that use it; each event is one script, so that no two gateways race. */
export class RedisCounters implements Counters {
  readonly #client: RedisClient;
  readonly #prefix: string;
  readonly #deps: RedisCountersDeps;

  /** @param prefix of every key, e.g. the plugin's name */
  constructor(client: RedisClient, prefix: string, deps: RedisCountersDeps) {
    this.#client = client;
    this.#prefix = prefix;
    this.#deps = deps;
  }

  async countInWindow(key: string, rule: WindowRule): Promise<WindowOutcome> {
    return rule.kind === "fixed" ? await this.#countFixed(key, rule) : await this.#countSliding(key, rule);
  }

  async pourIntoBucket(key: string, { burst, ratePerSecond }: BucketRule): Promise<BucketOutcome> {
    // As long as a full bucket and the event on top of it count; APISIX leaves that event out, which lets slow rates through.
    const expirySeconds = Math.ceil((burst + 1) / ratePerSecond) + 1;
    const args = [ratePerSecond, burst, this.#deps.clock.now(), expirySeconds];
    const [isAllowed, fill] = await this.#client.run(LEAKY_BUCKET, [this.#keyOf(key)], args);
    return { isAllowed: isAllowed === 1, delaySeconds: isAllowed === 1 ? Number(fill) / ratePerSecond : 0 };
  }

  async takeSlot(key: string, { limit, ttlSeconds }: SlotRule): Promise<Slot | undefined> {
    const name = this.#keyOf(key);
    const occupant = randomUUID();
    const args = [limit, this.#deps.clock.now(), ttlSeconds * 1000, occupant];
    const [isTaken, taken] = await this.#client.run(TAKE_SLOT, [name], args);
    if (isTaken !== 1) return undefined;
    return { taken: Number(taken), leave: () => this.#leave(name, occupant) };
  }

  async #countFixed(key: string, { limit, windowSeconds }: WindowRule): Promise<WindowOutcome> {
    const [count, leftMs] = await this.#client.run(FIXED_WINDOW, [this.#keyOf(key)], [windowSeconds * 1000]);
    return {
      isAllowed: Number(count) <= limit,
      remaining: Math.max(limit - Number(count), 0),
      resetSeconds: Number(leftMs) / 1000,
    };
  }

  async #countSliding(key: string, rule: WindowRule): Promise<WindowOutcome> {
    const position = positionOf(this.#deps.clock.now(), rule);
    const name = this.#keyOf(key);
    const keys = [`${name}:${position.id}`, `${name}:${position.id - 1}`];
    const share = carriedOver(rule.limit, rule, position.remainingSeconds) / rule.limit;
    const args = [rule.limit, share, rule.windowSeconds * 2];
    const [isAllowed, current, previous] = await this.#client.run(SLIDING_WINDOW, keys, args);
    const counts = { current: Number(current), previous: Number(previous) };
    return slidingOutcome(isAllowed === 1, counts, { position, rule });
  }

  /** Keys hold what clients send: hashed they are short, and a cluster finds windows of one key in one place. */
  #keyOf(key: string): string {
    return `${this.#prefix}:{${createHash("sha256").update(key).digest("base64url")}}`;
  }

  #leave(name: string, occupant: string): void {
    this.#client.remove(name, occupant).catch((error: unknown) => {
      this.#deps.logger.warn({ reason: messageOf(error) }, "a place in redis could not be given back; it expires");
    });
  }
}
