import { type Clock, GatewayError, isGatewayError, systemClock } from "@fngate/kernel";
import { GRPCOutOfRangeError, type IKeyValue, type IPutRequest, type IRangeRequest, type IRequestOp } from "etcd3";
import { checkCall, conflict } from "../call-guard.ts";
import type {
  CallOptions,
  ConfigStore,
  DeleteOptions,
  DeleteResult,
  Expectation,
  Listing,
  PutOptions,
  PutResult,
  StoreEntry,
  WatchBatch,
  WatchOptions,
} from "../config-store.ts";
import { compareRevisions, parseRevision, type Revision } from "../revision.ts";
import { type AttemptOptions, type Endpoint, Endpoints } from "./endpoints.ts";
import { entryOf, rangeOf, revisionOf } from "./entry.ts";
import { EtcdWatch, type WatchRequest } from "./etcd-watch.ts";
import { GroupCommit, type KeyWriteAnswer } from "./group-commit.ts";
import type { EtcdStoreOptions } from "./options.ts";

/** Entries per message of a list: some MiB of usual routes, so that no single answer stalls either side. */
const PAGE_SIZE = 2_000;

/** How often a list begins anew when a compaction passes it on the way. */
const LIST_ATTEMPTS = 3;

const DEFAULT_WATCH_CHECK_INTERVAL_MS = 10_000;

/**
 * Opens a ConfigStore on an etcd cluster (API v3, 3.4 or later). Contacts nobody yet: an etcd that is away shows
 * in the first call. A write that ends with `STORE_UNAVAILABLE` may or may not have happened.
 *
 * Raises `CONFIG_INVALID` for no endpoint, one that is no `host:port`, or TLS material that cannot be used.
 */
export function openEtcdStore(options: EtcdStoreOptions): ConfigStore {
  return new EtcdConfigStore(options);
}

interface Write {
  readonly operation: IRequestOp;
  readonly bytes: number;
  readonly expect: Expectation | undefined;
  readonly signal: AbortSignal | undefined;
}

class EtcdConfigStore implements ConfigStore {
  readonly #endpoints: Endpoints;
  readonly #writes: GroupCommit;
  readonly #timeoutMs: number;
  readonly #watchCheckIntervalMs: number;
  readonly #clock: Clock;
  readonly #closing = new AbortController();

  constructor(options: EtcdStoreOptions) {
    this.#endpoints = new Endpoints(options, this.#closing.signal);
    this.#writes = new GroupCommit((request, key) =>
      this.#endpoints.write(
        ({ client }, callOptions) => client.kv.txn(request, callOptions),
        (endpoint, callOptions) => readKey(endpoint, key, callOptions),
        undefined,
      ),
    );
    this.#timeoutMs = options.timeoutMs;
    this.#watchCheckIntervalMs = options.watchCheckIntervalMs ?? DEFAULT_WATCH_CHECK_INTERVAL_MS;
    this.#clock = options.clock ?? systemClock;
  }

  async get(key: string, { signal }: CallOptions = {}): Promise<StoreEntry | undefined> {
    const request = { key: Buffer.from(key) };
    const { kvs } = await this.#endpoints.read(({ client }, options) => client.kv.range(request, options), signal);
    return entryIn(kvs);
  }

  async list(prefix: string, { signal }: CallOptions = {}): Promise<Listing> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#listAtOneRevision(prefix, signal);
      } catch (error) {
        const isCompacted = isGatewayError(error) && error.cause instanceof GRPCOutOfRangeError;
        if (!isCompacted || attempt === LIST_ATTEMPTS) throw error;
      }
    }
  }

  async put(key: string, value: string, { signal, expect, ttlSeconds }: PutOptions = {}): Promise<PutResult> {
    const lease = ttlSeconds === undefined ? undefined : await this.#grant(ttlSeconds, signal);
    const bytes = Buffer.from(value);
    const base: IPutRequest = { key: Buffer.from(key), value: bytes, prev_kv: true };
    const request_put = lease === undefined ? base : { ...base, lease };
    try {
      const write = { operation: { request_put }, bytes: bytes.length, expect, signal };
      const { revision, responses } = await this.#transact(key, write);
      return { revision, previous: entryOrNothing(responses[0]?.response_put?.prev_kv) };
    } catch (error) {
      if (lease !== undefined) this.#revoke(lease);
      throw error;
    }
  }

  async delete(key: string, { signal, expect }: DeleteOptions = {}): Promise<DeleteResult> {
    const request_delete_range = { key: Buffer.from(key), prev_kv: true };
    const write = { operation: { request_delete_range }, bytes: 0, expect, signal };
    const { revision, responses } = await this.#transact(key, write);
    return { revision, deleted: entryIn(responses[0]?.response_delete_range?.prev_kvs ?? []) };
  }

  async deletePrefix(prefix: string, { signal }: CallOptions = {}): Promise<number> {
    const { deleted } = await this.#endpoints.write(
      ({ client }, options) => client.kv.deleteRange(rangeOf(prefix), options),
      (endpoint, options) => readKey(endpoint, prefix, options),
      signal,
    );
    return Number(deleted);
  }

  async serverVersion({ signal }: CallOptions = {}): Promise<string> {
    const { version } = await this.#endpoints.read(({ client }, options) => client.maintenance.status(options), signal);
    return version;
  }

  async *watch(prefix: string, after: Revision, { signal }: WatchOptions): AsyncGenerator<WatchBatch, void, undefined> {
    const { signal: closing } = this.#closing;
    const watch = await this.#endpoints.read(
      (endpoint, options, abandoned) => open(endpoint, options, { prefix, after, abandoned }),
      signal,
    );
    const finished = new AbortController();
    void this.#check(watch, prefix, AbortSignal.any([finished.signal, closing, signal]));
    try {
      for await (const batch of watch.batches([closing, signal])) {
        yield batch;
        checkCall(closing, signal);
      }
      checkCall(closing, signal);
    } finally {
      finished.abort();
      watch.close();
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#endpoints.close();
  }

  async #listAtOneRevision(prefix: string, signal: AbortSignal | undefined): Promise<Listing> {
    const { key, range_end } = rangeOf(prefix);
    const entries: StoreEntry[] = [];
    let request: IRangeRequest = { key, range_end, limit: PAGE_SIZE };
    let revision: Revision | undefined;
    for (;;) {
      const page = await this.#endpoints.read(({ client }, options) => client.kv.range(request, options), signal);
      revision ??= revisionOf(page.header);
      for (const kv of page.kvs) entries.push(entryOf(kv));
      const last = page.kvs.at(-1);
      if (!page.more || last === undefined) return { entries, revision };
      // The next page begins at the lowest key above the last one, and is read as the first one was.
      request = { key: Buffer.concat([last.key, Buffer.of(0)]), range_end, limit: PAGE_SIZE, revision };
    }
  }

  async #transact(key: string, write: Write): Promise<KeyWriteAnswer> {
    const { operation, bytes, expect, signal } = write;
    const name = Buffer.from(key);
    const compare = expect === undefined ? [] : [comparisonOf(name, expect)];
    const request = { compare, success: [operation], failure: [{ request_range: { key: name } }] };
    const answer = await this.#writes.submit({ key, request, bytes: name.length + bytes, signal });
    if (answer.succeeded || expect === undefined) return answer;
    const found = entryIn(answer.responses[0]?.response_range?.kvs ?? []);
    throw conflict(key, expect, found?.modRevision ?? "absent");
  }

  /** A lease nobody keeps alive; etcd may stretch it to its own least, some seconds. */
  async #grant(ttlSeconds: number, signal: AbortSignal | undefined): Promise<string> {
    // A lease granted twice is one that expires unused, so this may be repeated like a read.
    const { ID } = await this.#endpoints.read(
      ({ client }, options) => client.leaseClient.leaseGrant({ TTL: Math.ceil(ttlSeconds), ID: 0 }, options),
      signal,
    );
    return ID;
  }

  #revoke(lease: string): void {
    // Best effort: left alone, the unused lease expires by itself.
    this.#endpoints
      .read(({ client }, options) => client.leaseClient.leaseRevoke({ ID: lease }, options), undefined)
      .catch(() => {});
  }

  /**
   * Compares the watch with a read at intervals: a read that fails on the watch's endpoint (gone, or cut off from
   * the cluster's leader, where a watch just falls silent), or a watch that does not reach what was read, is lost.
   */
  async #check(watch: EtcdWatch, prefix: string, done: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await this.#clock.sleep(this.#watchCheckIntervalMs, done);
        const limits = { timeoutMs: this.#timeoutMs, signal: done };
        const read = await this.#endpoints.attempt(
          watch.endpoint,
          (endpoint, options) => readKey(endpoint, prefix, options),
          limits,
        );
        await this.#endpoints.attempt(
          watch.endpoint,
          (_endpoint, _options, abandoned) => watch.prove(read, AbortSignal.any([done, abandoned])),
          limits,
        );
      }
    } catch (error) {
      if (!done.aborted) watch.fail("the watch gives no sign of life", error);
    }
  }
}

async function open(endpoint: Endpoint, options: AttemptOptions, request: WatchRequest): Promise<EtcdWatch> {
  const { prefix, after } = request;
  // Also renews an expired login, which etcd3 does for calls but not for streams.
  const revision = await readKey(endpoint, prefix, options);
  if (compareRevisions(revision, after) < 0) {
    throw new GatewayError("STORE_WATCH_LOST", `etcd is at revision ${revision}, before ${after}`);
  }
  return EtcdWatch.open(endpoint, request);
}

/** The lightest question that needs the cluster's leader: answers with the store's revision. */
async function readKey({ client }: Endpoint, key: string, options: AttemptOptions): Promise<Revision> {
  const { header } = await client.kv.range({ key: rangeOf(key).key, keys_only: true }, options);
  return revisionOf(header);
}

function comparisonOf(key: Buffer, expect: Expectation) {
  if (expect === "absent") return { key, target: "Create", result: "Equal", create_revision: 0 } as const;
  return { key, target: "Mod", result: "Equal", mod_revision: parseRevision(expect) } as const;
}

function entryIn(kvs: readonly IKeyValue[]): StoreEntry | undefined {
  return entryOrNothing(kvs[0]);
}

/** Where there is nothing, the wire decoder answers null although etcd3's types say otherwise. */
function entryOrNothing(kv: IKeyValue | null | undefined): StoreEntry | undefined {
  return kv === null || kv === undefined ? undefined : entryOf(kv);
}
