import { Agent, request } from "undici";

/** A failed request of {@link Traffic}. */
export interface Failure {
  readonly at: string;
  readonly what: string;
}

/** Requests without a pause, from several connections, until stopped; remembers what was not answered as expected. */
export class Traffic {
  readonly name: string;
  readonly #url: string;
  readonly #expected: string;
  readonly #agent = new Agent({ connections: 8, keepAliveTimeout: 10_000 });
  readonly #loops: Promise<void>[];
  #isRunning = true;
  #mayFail = false;
  #served = 0;
  #failures: Failure[] = [];

  constructor(name: string, url: string, expected: string) {
    this.name = name;
    this.#url = url;
    this.#expected = expected;
    this.#loops = Array.from({ length: 4 }, () => this.#loop());
  }

  /** While true, failures are not remembered: the target itself is down on purpose. */
  set mayFail(value: boolean) {
    this.#mayFail = value;
  }

  /** How many requests were answered as expected. */
  get served(): number {
    return this.#served;
  }

  /** Takes the failures since the last call. */
  takeFailures(): Failure[] {
    const failures = this.#failures;
    this.#failures = [];
    return failures;
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#loops);
    await this.#agent.close();
  }

  async #loop(): Promise<void> {
    while (this.#isRunning) {
      const problem = await this.#once();
      if (problem === undefined) this.#served += 1;
      else if (!this.#mayFail) this.#failures.push({ at: new Date().toISOString(), what: problem });
      // A breath between requests: this is continuous traffic, not a load test.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #once(): Promise<string | undefined> {
    try {
      const answer = await request(this.#url, { dispatcher: this.#agent, headersTimeout: 10_000 });
      const body = await answer.body.text();
      return answer.statusCode === 200 && body === this.#expected
        ? undefined
        : `${answer.statusCode} ${body.slice(0, 200)}`;
    } catch (error) {
      return String(error);
    }
  }
}
