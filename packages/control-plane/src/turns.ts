import type { Clock } from "@fngate/kernel";

/** Longest wait for a turn, in milliseconds; who has waited that long goes on beside the others. */
const MAX_WAIT_MS = 1_000;

/**
 * Lets those who would only make each other start over go one after the other. It is a courtesy, not a lock: what must
 * not happen at once is kept apart by the store, and nobody waits for a neighbour that hangs.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `task` after the tasks that came before it for the same key. */
  async take<TResult>(key: string, task: () => Promise<TResult>): Promise<TResult> {
    const before = this.#last.get(key);
    const mine = before === undefined ? task() : this.#ended(before).then(task);
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }

  async #ended(task: Promise<unknown>): Promise<void> {
    const enough = new AbortController();
    const waited = this.#clock.sleep(MAX_WAIT_MS, enough.signal).catch(() => {});
    await Promise.race([task.catch(() => {}), waited]);
    enough.abort();
  }
}
