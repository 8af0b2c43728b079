import { UsagePool } from "@fngate/kernel";
import type { SharedState } from "@fngate/plugin-kit";

interface Slot {
  readonly state: unknown;
  readonly end: () => void;
}

/** The state of all plugins that outlives reloads; plugins see their own only. */
export class SharedStates {
  readonly #pool = new UsagePool<string, Slot>(({ end }) => end());

  /** The state of one plugin. */
  of(plugin: string): SharedState {
    return {
      acquire: <TState>(name: string, create: () => TState, dispose?: (state: TState) => void) => {
        const usage = this.#pool.acquire(`${plugin}\n${name}`, () => {
          const state = create();
          return { state, end: () => dispose?.(state) };
        });
        return { value: usage.value.state as TState, release: () => usage.release() };
      },
    };
  }
}
