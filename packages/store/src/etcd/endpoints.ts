import { GatewayError, type Logger, messageOf, silentLogger, timerDelay } from "@fngate/kernel";
import type { Etcd3 } from "etcd3";
import { checkCall } from "../call-guard.ts";
import { createClient } from "./client.ts";
import { EndpointTimeout, isEndpointFailure, storeFailure } from "./failure.ts";
import { type EtcdStoreOptions, parseEndpoint } from "./options.ts";

/** One etcd member. */
export interface Endpoint {
  readonly url: string;
  readonly client: Etcd3;
  /** When it last answered, on the monotonic clock. */
  answeredAtMs: number;
}

/** gRPC call options that bound one attempt. */
export interface AttemptOptions {
  /** Milliseconds since the epoch. */
  readonly deadline: number;
}

/** What is asked of one endpoint; `abandoned` fires when nobody waits for the answer any more. */
export type EndpointCall<TResult> = (
  endpoint: Endpoint,
  options: AttemptOptions,
  abandoned: AbortSignal,
) => Promise<TResult>;

/**
 * How long an answer vouches for its endpoint, in milliseconds: to a busy control plane the answer to the write before
 * is then probe enough, and it asks etcd once for a write.
 */
const ANSWER_VOUCHES_MS = 100;

/** A single endpoint gets a second chance: the first call after a restart is the one that finds the connection dead. */
const LEAST_ATTEMPTS = 2;

/** The members of one cluster: calls go to the one that answered last, and move on when it stops answering. */
export class Endpoints {
  readonly #endpoints: readonly Endpoint[];
  readonly #timeoutMs: number;
  readonly #closing: AbortSignal;
  readonly #user: string | undefined;
  readonly #logger: Logger;
  #current = 0;

  constructor(options: EtcdStoreOptions, closing: AbortSignal) {
    if (options.hosts.length === 0) throw new GatewayError("CONFIG_INVALID", "no etcd endpoint is given");
    this.#endpoints = options.hosts.map((host) => {
      const address = parseEndpoint(host);
      return { url: address.url, client: createClient(address, options), answeredAtMs: Number.NEGATIVE_INFINITY };
    });
    this.#timeoutMs = options.timeoutMs;
    this.#closing = closing;
    this.#user = options.user;
    this.#logger = options.logger ?? silentLogger;
  }

  /** Runs a call that may be repeated: each endpoint gets its share of the time until one answers. */
  async read<TResult>(call: EndpointCall<TResult>, signal: AbortSignal | undefined): Promise<TResult> {
    const endsAt = performance.now() + this.#timeoutMs;
    const attempts = Math.max(LEAST_ATTEMPTS, this.#endpoints.length);
    for (let attempt = 1; ; attempt += 1) {
      const endpoint = this.#endpointNow();
      const timeoutMs = Math.max(1, (endsAt - performance.now()) / (attempts - attempt + 1));
      try {
        return await this.attempt(endpoint, call, { timeoutMs, signal });
      } catch (error) {
        if (!isEndpointFailure(error)) throw this.failure(error);
        this.#moveOn(endpoint, error);
        if (attempt === attempts) throw this.failure(error);
      }
    }
  }

  /**
   * Runs a call that must not be repeated. `probe` first finds an endpoint that answers, unless one has just done so,
   * since a write that failed may have happened.
   */
  async write<TResult>(
    call: EndpointCall<TResult>,
    probe: EndpointCall<unknown>,
    signal: AbortSignal | undefined,
  ): Promise<TResult> {
    if (performance.now() - this.#endpointNow().answeredAtMs > ANSWER_VOUCHES_MS) {
      await this.read((...question) => refusalIsAnswer(probe(...question)), signal);
    }
    const endpoint = this.#endpointNow();
    try {
      return await this.attempt(endpoint, call, { timeoutMs: this.#timeoutMs, signal });
    } catch (error) {
      if (isEndpointFailure(error)) this.#moveOn(endpoint, error);
      throw this.failure(error);
    }
  }

  /** Runs one call on one endpoint; raises what etcd3 raises, {@link EndpointTimeout}, `STORE_ABORTED` or `STORE_CLOSED`. */
  async attempt<TResult>(
    endpoint: Endpoint,
    call: EndpointCall<TResult>,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
  ): Promise<TResult> {
    checkCall(this.#closing, signal);
    const abandonment = new AbortController();
    const { promise: interrupted, reject } = Promise.withResolvers<never>();
    const onAbort = () => {
      try {
        checkCall(this.#closing, signal);
      } catch (error) {
        reject(error);
      }
    };
    const timer = setTimeout(() => {
      reject(new EndpointTimeout(`no answer from ${endpoint.url} within ${Math.round(timeoutMs)} ms`));
    }, timerDelay(timeoutMs));
    this.#closing.addEventListener("abort", onAbort, { once: true });
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const options = { deadline: Date.now() + timeoutMs };
      const answer = await Promise.race([call(endpoint, options, abandonment.signal), interrupted]);
      endpoint.answeredAtMs = performance.now();
      return answer;
    } catch (error) {
      abandonment.abort();
      throw error;
    } finally {
      clearTimeout(timer);
      this.#closing.removeEventListener("abort", onAbort);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** The gateway's error for what a call raised. */
  failure(error: unknown): GatewayError {
    return storeFailure(error, this.#endpoints.map(({ url }) => url).join(", "), this.#user);
  }

  close(): void {
    for (const { client } of this.#endpoints) client.close();
  }

  #endpointNow(): Endpoint {
    const endpoint = this.#endpoints[this.#current];
    if (endpoint === undefined) throw new GatewayError("STORE_UNAVAILABLE", "no etcd endpoint is left");
    return endpoint;
  }

  #moveOn(failed: Endpoint, error: unknown): void {
    failed.answeredAtMs = Number.NEGATIVE_INFINITY;
    if (this.#endpoints.length === 1 || this.#endpointNow() !== failed) return;
    this.#current = (this.#current + 1) % this.#endpoints.length;
    const fields = { endpoint: failed.url, next: this.#endpointNow().url, error: messageOf(error) };
    this.#logger.warn(fields, "an etcd endpoint does not answer, the next one is tried");
  }
}

/** To a probe, being refused is as good an answer as any: whether the write is allowed is for the write to find out. */
async function refusalIsAnswer(probe: Promise<unknown>): Promise<void> {
  try {
    await probe;
  } catch (error) {
    if (isEndpointFailure(error)) throw error;
  }
}
