import { GatewayError } from "@fngate/kernel";
import { checkCall, waitFor } from "../call-guard.ts";
import type {
  CallOptions,
  ConfigStore,
  DeleteResult,
  Listing,
  PutResult,
  StoreEntry,
  StoreEvent,
  WatchBatch,
  WatchOptions,
} from "../config-store.ts";
import { parseRevision, type Revision } from "../revision.ts";

/** Every value of a document by its key; whatever is not in it is not there. */
export type DocumentValues = ReadonlyMap<string, string>;

/** A store in memory whose whole content is one document, replaced as a whole. */
export interface DocumentStore extends ConfigStore {
  /**
   * Takes a document over as one change: keys whose value stays the same keep their revision, and watches hear only of
   * the others. Returns the revision that the content now has. Raises `STORE_CLOSED`.
   */
  publish(values: DocumentValues): Revision;
}

/** Events a watch may lag behind before it is lost; the latest batch is kept however large it is. */
const MAX_HISTORY_EVENTS = 10_000;

/**
 * Creates a {@link DocumentStore}. Until the first document is published, reads wait for it. Nobody writes single
 * keys: put and delete reject with `STORE_READ_ONLY`.
 */
export function createDocumentStore(): DocumentStore {
  return new DocumentConfigStore();
}

class DocumentConfigStore implements DocumentStore {
  readonly #closing = new AbortController();
  readonly #loaded = Promise.withResolvers<void>();
  #entries: ReadonlyMap<string, StoreEntry> = new Map();
  #isLoaded = false;
  #revision = parseRevision(0);
  /** Nothing before this revision can be watched any more. */
  #forgotten = parseRevision(0);
  #history: WatchBatch[] = [];
  #historyEvents = 0;
  #changed = Promise.withResolvers<void>();

  publish(values: DocumentValues): Revision {
    checkCall(this.#closing.signal, undefined);
    const revision = parseRevision(BigInt(this.#revision) + 1n);
    const { entries, events } = replacement(this.#entries, values, revision);
    if (events.length > 0 || !this.#isLoaded) {
      this.#entries = entries;
      this.#revision = revision;
      this.#remember({ revision, events });
    }
    this.#isLoaded = true;
    this.#loaded.resolve();
    return this.#revision;
  }

  async get(key: string, options: CallOptions = {}): Promise<StoreEntry | undefined> {
    await this.#untilLoaded(options);
    return this.#entries.get(key);
  }

  async list(prefix: string, options: CallOptions = {}): Promise<Listing> {
    await this.#untilLoaded(options);
    const entries = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
    return { entries: inByteOrder(entries, ({ key }) => key), revision: this.#revision };
  }

  async put(): Promise<PutResult> {
    throw readOnly();
  }

  async delete(): Promise<DeleteResult> {
    throw readOnly();
  }

  async deletePrefix(): Promise<number> {
    throw readOnly();
  }

  async *watch(prefix: string, after: Revision, { signal }: WatchOptions): AsyncGenerator<WatchBatch, void, undefined> {
    const { signal: closing } = this.#closing;
    let cursor = BigInt(after);
    for (;;) {
      checkCall(closing, signal);
      this.#checkPosition(cursor);
      // Taken before the history is read: what is published while a batch is handed over wakes the wait below.
      const changed = this.#changed.promise;
      const news = this.#history.filter(({ revision }) => BigInt(revision) > cursor);
      for (const { revision, events } of news) {
        yield { revision, events: events.filter((event) => keyOf(event).startsWith(prefix)) };
        checkCall(closing, signal);
        cursor = BigInt(revision);
      }
      if (news.length === 0) await waitFor(changed, [closing, signal]);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  async #untilLoaded({ signal }: CallOptions): Promise<void> {
    const { signal: closing } = this.#closing;
    checkCall(closing, signal);
    if (this.#isLoaded) return;
    await waitFor(this.#loaded.promise, signal === undefined ? [closing] : [closing, signal]);
    checkCall(closing, signal);
  }

  #checkPosition(cursor: bigint): void {
    if (cursor < BigInt(this.#forgotten)) throw new GatewayError("STORE_WATCH_LOST", `revision ${cursor} is forgotten`);
    if (cursor > BigInt(this.#revision))
      throw new GatewayError("STORE_WATCH_LOST", `revision ${cursor} is yet to come`);
  }

  #remember(batch: WatchBatch): void {
    this.#history.push(batch);
    this.#historyEvents += batch.events.length;
    while (this.#historyEvents > MAX_HISTORY_EVENTS && this.#history.length > 1) {
      const oldest = this.#history.shift();
      if (oldest === undefined) break;
      this.#historyEvents -= oldest.events.length;
      this.#forgotten = oldest.revision;
    }
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** The entries that a document makes of earlier ones, and what it changes. */
function replacement(
  earlier: ReadonlyMap<string, StoreEntry>,
  values: DocumentValues,
  revision: Revision,
): { readonly entries: ReadonlyMap<string, StoreEntry>; readonly events: readonly StoreEvent[] } {
  const entries = new Map<string, StoreEntry>();
  const events: StoreEvent[] = [];
  for (const [key, value] of values) {
    const held = earlier.get(key);
    const entry =
      held?.value === value
        ? held
        : { key, value, createRevision: held?.createRevision ?? revision, modRevision: revision };
    entries.set(key, entry);
    if (entry !== held) events.push({ type: "put", entry });
  }
  for (const key of earlier.keys()) if (!values.has(key)) events.push({ type: "delete", key, revision });
  return { entries, events: inByteOrder(events, keyOf) };
}

/** UTF-8's order, which is etcd's; JavaScript's own differs beyond the basic plane. */
function inByteOrder<TItem>(items: readonly TItem[], nameOf: (item: TItem) => string): TItem[] {
  return items
    .map((item) => ({ item, bytes: Buffer.from(nameOf(item)) }))
    .sort((left, right) => Buffer.compare(left.bytes, right.bytes))
    .map(({ item }) => item);
}

function keyOf(event: StoreEvent): string {
  return event.type === "put" ? event.entry.key : event.key;
}

function readOnly(): GatewayError {
  return new GatewayError("STORE_READ_ONLY", "the configuration is one document; single objects cannot be written");
}
