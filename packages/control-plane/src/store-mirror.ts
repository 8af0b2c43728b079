import { type Clock, isGatewayError, type Logger, messageOf } from "@fngate/kernel";
import { parseKey, type ResourceDefinition } from "@fngate/schema";
import { compareRevisions, type Revision, type StoreEntry, type StoreEvent } from "@fngate/store";
import type { BoundedStore } from "./bounded-store.ts";
import { KindIndex } from "./kind-index.ts";
import { parseStoredResource } from "./stored-resource.ts";

/** How long a read waits for the watch to bring what the store already has, in milliseconds, before it lists everything. */
const WATCH_PATIENCE_MS = 100;

/** What a {@link StoreMirror} works with. */
export interface MirrorOptions {
  readonly store: BoundedStore;
  /** Store prefix without trailing slash, e.g. `/apisix`. */
  readonly prefix: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** The mirror at one moment; valid until the next `await`. */
export interface MirrorView {
  /** Entries of a kind. */
  of(definition: ResourceDefinition): KindIndex;
  /** Tells whether a key is there that ends with a slash: a directory's placeholder. */
  hasPlaceholder(directory: string): boolean;
}

/**
 * Every object below the prefix in memory, so that a page of a long list costs what the page holds. A watch keeps it up
 * to date, and no read is older than its call: each asks the store for its revision first, waits until the watch has
 * come that far, and lists everything anew when that takes too long (other writers of the same store whose keys are
 * not ours, a watch that was lost). The first read lists and watches; nothing happens before.
 */
export class StoreMirror {
  readonly #options: MirrorOptions;
  readonly #stopping = new AbortController();
  #indexes = new Map<string, KindIndex>();
  #placeholders = new Set<string>();
  /** How far the watch has come; undefined while there is none. */
  #revision: Revision | undefined;
  #watching = new AbortController();
  #loading: Promise<void> | undefined;
  #advanced = Promise.withResolvers<void>();

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  /** A view that has everything written before the call. Raises what the store raises. */
  async read(): Promise<MirrorView> {
    const wanted = await this.#options.store.revision(`${this.#options.prefix}/gen_id`);
    if (this.#revision !== undefined && !this.#has(wanted)) await this.#catchUp(wanted);
    while (!this.#has(wanted)) {
      this.#loading ??= this.#load().finally(() => {
        this.#loading = undefined;
      });
      await this.#loading;
    }
    return {
      of: ({ kind }) => this.#indexOf(kind),
      hasPlaceholder: (directory) => this.#placeholders.has(directory),
    };
  }

  /**
   * What is held of an object right now, without a question to the store, so it may be out of date; `absent` when
   * nothing is there, undefined when no watch keeps the mirror up to date.
   */
  peek({ kind }: ResourceDefinition, key: string): StoreEntry | "absent" | undefined {
    return this.#revision === undefined ? undefined : (this.#indexOf(kind).get(key) ?? "absent");
  }

  /** Ends the watch; reads after it list everything each time. */
  stop(): void {
    this.#stopping.abort();
    this.#watching.abort();
  }

  #has(wanted: Revision): boolean {
    return this.#revision !== undefined && compareRevisions(this.#revision, wanted) >= 0;
  }

  async #catchUp(wanted: Revision): Promise<void> {
    const patience = new AbortController();
    const timeout = this.#options.clock.sleep(WATCH_PATIENCE_MS, patience.signal).then(
      () => true,
      () => true,
    );
    try {
      while (this.#revision !== undefined && !this.#has(wanted)) {
        if ((await Promise.race([timeout, this.#advanced.promise])) === true) return;
      }
    } finally {
      patience.abort();
    }
  }

  async #load(): Promise<void> {
    const { store, prefix } = this.#options;
    this.#watching.abort();
    const { entries, revision } = await store.list(`${prefix}/`);
    this.#replaceAll(entries);
    this.#watching = new AbortController();
    this.#setRevision(revision);
    if (!this.#stopping.signal.aborted) void this.#follow(revision, this.#watching.signal);
  }

  /** Keeps the entries that have not changed, and with them what others remember about them. */
  #replaceAll(entries: readonly StoreEntry[]): void {
    const byKind = Map.groupBy(entries, ({ key }) => this.#kindOf(key));
    const indexes = [...byKind].flatMap(([kind, ofKind]) => {
      if (kind === undefined) return [];
      const earlier = this.#indexes.get(kind);
      const kept = ofKind.flatMap((entry) => {
        const held = earlier?.get(entry.key);
        if (held?.modRevision === entry.modRevision) return [held];
        return isObject(entry) ? [entry] : [];
      });
      return [[kind, new KindIndex(kept)] as const];
    });
    this.#indexes = new Map(indexes);
    this.#placeholders = new Set((byKind.get(undefined) ?? []).map(({ key }) => key).filter(isPlaceholder));
  }

  async #follow(after: Revision, signal: AbortSignal): Promise<void> {
    try {
      for await (const { events, revision } of this.#options.store.watch(`${this.#options.prefix}/`, after, signal)) {
        if (signal.aborted) return;
        for (const event of events) this.#apply(event);
        this.#setRevision(revision);
      }
    } catch (error) {
      if (signal.aborted || isGatewayError(error, "STORE_CLOSED")) return;
      this.#options.logger.debug(
        { error: messageOf(error) },
        "the watch for lists was lost; the next list begins anew",
      );
    } finally {
      if (!signal.aborted) this.#setRevision(undefined);
    }
  }

  #apply(event: StoreEvent): void {
    if (event.type === "put") {
      this.#put(event.entry);
      return;
    }
    const kind = this.#kindOf(event.key);
    if (kind === undefined) this.#placeholders.delete(event.key);
    else this.#indexOf(kind).delete(event.key);
  }

  #put(entry: StoreEntry): void {
    const kind = this.#kindOf(entry.key);
    if (kind !== undefined) {
      if (isObject(entry)) this.#indexOf(kind).set(entry);
      else this.#indexOf(kind).delete(entry.key);
    } else if (isPlaceholder(entry.key)) this.#placeholders.add(entry.key);
  }

  #kindOf(key: string): string | undefined {
    return parseKey(this.#options.prefix, key)?.definition.kind;
  }

  #indexOf(kind: string): KindIndex {
    const known = this.#indexes.get(kind);
    if (known !== undefined) return known;
    const index = new KindIndex();
    this.#indexes.set(kind, index);
    return index;
  }

  #setRevision(revision: Revision | undefined): void {
    this.#revision = revision;
    this.#advanced.resolve();
    this.#advanced = Promise.withResolvers();
  }
}

/** Foreign values under our keys are no objects of ours. */
function isObject(entry: StoreEntry): boolean {
  return parseStoredResource(entry) !== undefined;
}

function isPlaceholder(key: string): boolean {
  return key.endsWith("/");
}
