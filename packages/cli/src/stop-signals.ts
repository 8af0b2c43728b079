import type { Clock } from "@fngate/kernel";
import type { SignalSource } from "./command-io.ts";

/**
 * One Ctrl-C can arrive several times: the terminal signals every process of the group, and package managers pass the
 * signal on to their child once more. Repeats within this time, in milliseconds, are the same key press.
 */
const SAME_KEY_PRESS_MS = 500;

/** Those of a terminal and of supervisors, and the one by which nginx is asked to drain (APISIX: `apisix quit`). */
const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGQUIT"];

export interface StopSignalOptions {
  readonly source: SignalSource;
  readonly clock: Clock;
  /** Somebody sits at the terminal: a hang-up says that it was closed. */
  readonly isAtTerminal?: boolean;
  readonly onForce: () => void;
}

/** Signals that ask to stop, as two requests: the first lets requests end, a later second one ends all at once. */
export class StopSignals implements Disposable {
  readonly #source: SignalSource;
  readonly #signals: readonly NodeJS.Signals[];
  readonly #clock: Clock;
  readonly #stop = Promise.withResolvers<NodeJS.Signals>();
  readonly #onForce: () => void;
  #first: { readonly signal: NodeJS.Signals; readonly atMs: number } | undefined;

  constructor(options: StopSignalOptions) {
    this.#source = options.source;
    this.#signals = options.isAtTerminal === true ? [...SIGNALS, "SIGHUP"] : SIGNALS;
    this.#clock = options.clock;
    this.#onForce = options.onForce;
    for (const signal of this.#signals) this.#source.on(signal, this.#receive);
  }

  /** Resolves with the first signal. */
  get stopRequested(): Promise<NodeJS.Signals> {
    return this.#stop.promise;
  }

  /**
   * Resolves when the repeats of a first Ctrl-C are over; at once after any other signal. A package manager around this
   * process that passes the key press on after its child has ended would die of it, and report that as our failure.
   */
  async keyPressEnded(): Promise<void> {
    if (this.#first?.signal !== "SIGINT") return;
    const remainingMs = this.#first.atMs + SAME_KEY_PRESS_MS - this.#clock.monotonicMs();
    if (remainingMs > 0) await this.#clock.sleep(remainingMs);
  }

  [Symbol.dispose](): void {
    for (const signal of this.#signals) this.#source.off(signal, this.#receive);
  }

  readonly #receive = (signal: NodeJS.Signals): void => {
    const nowMs = this.#clock.monotonicMs();
    if (this.#first === undefined) {
      this.#first = { signal, atMs: nowMs };
      this.#stop.resolve(signal);
    } else if (nowMs - this.#first.atMs >= SAME_KEY_PRESS_MS) {
      this.#onForce();
    }
  };
}
