import { type Clock, type Logger, messageOf } from "@fngate/kernel";
import type { NameAnswer, NameRecord, NameResolver } from "./name-resolver.ts";

/** A name that could not be resolved is not asked for again before this time. */
const FAILURE_MS = 1_000;

/** An answer in use is asked for again when this part of its lifetime is over, so that no request waits for it. */
const REFRESH_AFTER = 0.8;

/** What is looked up. */
export interface NameQuestion {
  readonly kind: "host" | "service";
  readonly name: string;
}

/** What a cache works with. */
export interface NameCacheDeps {
  readonly resolver: NameResolver;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly logger: Logger;
}

/**
 * One name and its latest answer, shared by all who use it. It is asked for again while it is used, in the background
 * when its time is nearly over; a failure keeps the last answer.
 */
export class CachedName {
  /** Changes with the records. */
  version = 0;
  records: readonly NameRecord[] = [];
  readonly #question: NameQuestion;
  readonly #deps: NameCacheDeps;
  #refreshMs = Number.NEGATIVE_INFINITY;
  #expiryMs = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | undefined;

  constructor(question: NameQuestion, deps: NameCacheDeps) {
    this.#question = question;
    this.#deps = deps;
  }

  /** Until when {@link CachedName.prepare} has nothing to do. */
  get freshUntilMs(): number {
    return this.#refreshMs;
  }

  /** Sees to it that the answer is current; a promise, which never rejects, when that takes waiting. */
  prepare(): Promise<void> | undefined {
    const now = this.#deps.clock.monotonicMs();
    if (now < this.#refreshMs) return undefined;
    this.#pending ??= this.#resolve().finally(() => {
      this.#pending = undefined;
    });
    return now < this.#expiryMs ? undefined : this.#pending;
  }

  async #resolve(): Promise<void> {
    const { clock, logger } = this.#deps;
    const { kind, name } = this.#question;
    try {
      this.#take(await this.#ask());
    } catch (error) {
      const hasAnswer = this.records.length > 0;
      this.#refreshMs = clock.monotonicMs() + FAILURE_MS;
      // An old answer is better than none: nobody waits while servers are away.
      this.#expiryMs = hasAnswer ? Number.POSITIVE_INFINITY : this.#refreshMs;
      logger.warn({ name, kind, hasAnswer, reason: messageOf(error) }, "name cannot be resolved");
    }
  }

  #ask(): Promise<NameAnswer> {
    const { resolver } = this.#deps;
    const { kind, name } = this.#question;
    if (kind === "host") return resolver.host(name);
    return resolver.service?.(name) ?? Promise.reject(new Error("there is no discovery by DNS"));
  }

  #take({ records, ttlMs }: NameAnswer): void {
    const now = this.#deps.clock.monotonicMs();
    this.#refreshMs = now + ttlMs * REFRESH_AFTER;
    this.#expiryMs = now + ttlMs;
    // Servers rotate their answers; the order means nothing.
    const sorted = records.toSorted((one, other) => (textOf(one) < textOf(other) ? -1 : 1));
    if (sorted.map(textOf).join() === this.records.map(textOf).join()) return;
    this.records = sorted;
    this.version += 1;
  }
}

function textOf({ address, port, priority, weight }: NameRecord): string {
  return `${address} ${port} ${priority} ${weight}`;
}
