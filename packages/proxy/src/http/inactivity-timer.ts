import { timerDelay } from "@fngate/kernel";

/**
 * Tells when nothing happened for a while. Starting the wait anew writes down the time and nothing else: a timer that
 * is running finds out by itself that it is too early, so that an exchange costs no timer at all.
 */
export class InactivityTimer {
  readonly #onInactive: () => void;
  #limitMs = 0;
  #sinceMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #lastLook: NodeJS.Immediate | undefined;
  /** When the running timer fires. */
  #dueMs = 0;

  constructor(onInactive: () => void) {
    this.#onInactive = onInactive;
  }

  /** Waits for `limitMs` from now. */
  arm(limitMs: number): void {
    this.#limitMs = timerDelay(limitMs + 1) - 1;
    this.#sinceMs = performance.now();
    const dueMs = this.#sinceMs + this.#limitMs;
    if (this.#lastLook !== undefined) return;
    if (this.#timer === undefined || this.#dueMs > dueMs) this.#schedule(dueMs - this.#sinceMs, dueMs);
  }

  /** Starts the wait anew; only while one is on. */
  touch(): void {
    this.#sinceMs = performance.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    clearImmediate(this.#lastLook);
    this.#lastLook = undefined;
  }

  #schedule(delayMs: number, dueMs: number): void {
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    // The millisecond on top makes up for the age of the event loop's clock.
    this.#timer = setTimeout(onTimer, delayMs + 1, this);
    this.#timer.unref();
  }

  /** For the timer only. */
  look(): void {
    this.#timer = undefined;
    if (this.#reschedule()) return;
    // Timers run before the sockets are read: after a busy moment of this process what was waited for may lie there.
    this.#lastLook = setImmediate(onLastLook, this);
  }

  /** For the timer only. */
  lookAgain(): void {
    this.#lastLook = undefined;
    if (!this.#reschedule()) this.#onInactive();
  }

  /** Tells whether there is time left. */
  #reschedule(): boolean {
    const nowMs = performance.now();
    const leftMs = this.#sinceMs + this.#limitMs - nowMs;
    if (leftMs > 0) this.#schedule(leftMs, nowMs + leftMs);
    return leftMs > 0;
  }
}

function onTimer(timer: InactivityTimer): void {
  timer.look();
}

function onLastLook(timer: InactivityTimer): void {
  timer.lookAgain();
}
