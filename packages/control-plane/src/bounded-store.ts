import { GatewayError, isGatewayError } from "@fngate/kernel";
import type {
  ConfigStore,
  DeleteResult,
  Expectation,
  Listing,
  PutOptions,
  PutResult,
  Revision,
  StoreEntry,
  WatchBatch,
} from "@fngate/store";

/** Longest wait for one store call in milliseconds; a client with a usual 60 s timeout still gets its 503. */
const STORE_TIMEOUT_MS = 10_000;

/**
 * The store as the Admin API uses it: every call but a watch ends within a deadline. Raises `STORE_UNAVAILABLE` when it passes,
 * and what the store itself raises.
 */
export class BoundedStore {
  readonly #store: ConfigStore;
  readonly #timeoutMs: number;

  constructor(store: ConfigStore, timeoutMs = STORE_TIMEOUT_MS) {
    this.#store = store;
    this.#timeoutMs = timeoutMs;
  }

  get(key: string): Promise<StoreEntry | undefined> {
    return this.#bounded((signal) => this.#store.get(key, { signal }));
  }

  list(prefix: string): Promise<Listing> {
    return this.#bounded((signal) => this.#store.list(prefix, { signal }));
  }

  /** A signal among the options ends the wait earlier. */
  put(key: string, value: string, options: PutOptions = {}): Promise<PutResult> {
    const { signal: own } = options;
    return this.#bounded((signal) =>
      this.#store.put(key, value, { ...options, signal: own === undefined ? signal : AbortSignal.any([signal, own]) }),
    );
  }

  /** The store's revision now. A list of next to nothing tells it: `key` and what starts like it. */
  async revision(key: string): Promise<Revision> {
    return (await this.list(key)).revision;
  }

  delete(key: string, expect?: Expectation): Promise<DeleteResult> {
    return this.#bounded((signal) => this.#store.delete(key, { signal, ...(expect === undefined ? {} : { expect }) }));
  }

  deletePrefix(prefix: string): Promise<number> {
    return this.#bounded((signal) => this.#store.deletePrefix(prefix, { signal }));
  }

  /** Has no end of its own, so no deadline either. */
  watch(prefix: string, after: Revision, signal: AbortSignal): AsyncIterable<WatchBatch> {
    return this.#store.watch(prefix, after, { signal });
  }

  async #bounded<TResult>(call: (signal: AbortSignal) => Promise<TResult>): Promise<TResult> {
    // `AbortSignal.timeout` cannot be taken back: at a thousand calls a second ten thousand of them would be waiting.
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), this.#timeoutMs);
    try {
      return await call(deadline.signal);
    } catch (error) {
      if (!isGatewayError(error, "STORE_ABORTED")) throw error;
      throw new GatewayError("STORE_UNAVAILABLE", `the store did not answer within ${this.#timeoutMs} ms`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }
}
