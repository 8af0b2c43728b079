import type { Clock } from "@fngate/kernel";
import type { AttemptTrace } from "@fngate/proxy";

/** One call of an upstream's node, measured. Times are milliseconds from its beginning, absent when it did not come so far. */
export class MeasuredAttempt implements AttemptTrace {
  connectMs: number | undefined = undefined;
  headMs: number | undefined = undefined;
  sentBytes = 0;
  receivedBytes = 0;
  /** Of the answer's body. */
  bodyBytes = 0;
  readonly #clock: Clock;
  readonly #startedMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  onConnected(): void {
    this.connectMs = this.#elapsedMs();
  }

  onHead(): void {
    this.headMs = this.#elapsedMs();
  }

  onSent(bytes: number): void {
    this.sentBytes += bytes;
  }

  onReceived(bytes: number): void {
    this.receivedBytes += bytes;
  }

  #elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }
}

/** What is measured of a request only where the access log or a plugin may ask for it. */
export class ExchangeTrace {
  readonly attempts: MeasuredAttempt[] = [];
  /** Flat fields of the upstream's answer as they came, and those behind its body. */
  fields: readonly string[] = NONE;
  trailers: readonly string[] = NONE;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A node is about to be called. */
  begin(): MeasuredAttempt {
    const attempt = new MeasuredAttempt(this.#clock);
    this.attempts.push(attempt);
    return attempt;
  }

  onHead(fields: readonly string[]): void {
    this.fields = fields;
    this.attempts.at(-1)?.onHead();
  }

  onBody(bytes: number): void {
    const attempt = this.attempts.at(-1);
    if (attempt !== undefined) attempt.bodyBytes += bytes;
  }

  onTrailers(fields: readonly string[]): void {
    this.trailers = fields;
  }

  /** No node is called after all. */
  forgetAttempts(): void {
    this.attempts.length = 0;
  }
}

const NONE: readonly string[] = [];
