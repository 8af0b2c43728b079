import { UsagePool } from "@fngate/kernel";
import type { SharedState } from "@fngate/plugin-kit";

interface Slot {
  readonly state: unknown;
  /** Ends the state, once. */
  readonly end: () => void;
}

/** The state of all plugins that outlives reloads; plugins see their own only. */
export class SharedStates {
  readonly #pool = new UsagePool<string, Slot>(({ end }) => end());
  /** What is not over yet although nobody holds it any more. */
  readonly #ending = new Set<Promise<unknown>>();

  /** The state of one plugin. */
  of(plugin: string): SharedState {
    return {
      acquire: <TState>(name: string, create: () => TState, dispose?: (state: TState) => unknown) => {
        const usage = this.#pool.acquire(`${plugin}\n${name}`, () => {
          const state = create();
          return { state, end: this.#once(() => dispose?.(state)) };
        });
        return { value: usage.value.state as TState, release: () => usage.release() };
      },
    };
  }

  /** Ends everything, held or not; resolves when it is over. */
  async close(): Promise<void> {
    for (const { end } of [...this.#pool.values()]) end();
    while (this.#ending.size > 0) await Promise.all(this.#ending);
  }

  #once(dispose: () => unknown): () => void {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const ending = (async () => await dispose())().catch(() => undefined);
      this.#ending.add(ending);
      void ending.finally(() => this.#ending.delete(ending));
    };
  }
}
