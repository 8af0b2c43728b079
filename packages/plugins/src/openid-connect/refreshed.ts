import type { Clock } from "@fngate/kernel";

/** How a {@link Refreshed} value is loaded and kept. */
export interface RefreshOptions<TValue> {
  readonly clock: Clock;
  readonly ttlMs: number;
  load(): Promise<TValue>;
  /** Told when a value that is old already could not be loaded again. */
  onStale(error: unknown): void;
}

/** A value that is loaded when it is first asked for, by all who wait together, and again when it is old. */
export class Refreshed<TValue> {
  readonly #options: RefreshOptions<TValue>;
  #loaded: { readonly value: TValue; readonly atMs: number } | undefined;
  #pending: Promise<TValue> | undefined;

  constructor(options: RefreshOptions<TValue>) {
    this.#options = options;
  }

  /** The value; an old one while it is being loaded again. Rejects when there is none and it cannot be loaded. */
  get(): Promise<TValue> {
    const { clock, onStale, ttlMs } = this.#options;
    const loaded = this.#loaded;
    if (loaded === undefined) return this.#load();
    if (clock.monotonicMs() - loaded.atMs >= ttlMs && this.#pending === undefined) this.#load().catch(onStale);
    return Promise.resolve(loaded.value);
  }

  #load(): Promise<TValue> {
    this.#pending ??= this.#options
      .load()
      .then((value) => {
        this.#loaded = { value, atMs: this.#options.clock.monotonicMs() };
        return value;
      })
      .finally(() => {
        this.#pending = undefined;
      });
    return this.#pending;
  }
}
