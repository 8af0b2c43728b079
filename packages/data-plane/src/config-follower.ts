import type { Clock, Logger } from "@fngate/kernel";
import type { ConfigStore, StoreEntry } from "@fngate/store";
import { Coalescer } from "./coalescer.ts";
import { LastKnownFile } from "./mirror/last-known-file.ts";
import { Mirror, type MirrorChange } from "./mirror/mirror.ts";
import type { Publisher } from "./publisher.ts";

/** Default of `publishIntervalMs`: far below what anybody notices, far above what publishing one change costs. */
const DEFAULT_PUBLISH_INTERVAL_MS = 10;

export interface FollowerOptions {
  readonly store: ConfigStore;
  readonly prefix: string;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly lastKnownPath: string | undefined;
  readonly writesLastKnown: boolean;
  readonly publishIntervalMs: number | undefined;
  /** Sees changes before they are published. */
  readonly onChanges?: (changes: readonly MirrorChange[]) => void;
}

/** Follows the store and has its changes published: mirror, pacing and the file for starts without store. */
export class ConfigFollower {
  readonly mirror: Mirror;
  readonly #coalescer: Coalescer;
  readonly #file: LastKnownFile | undefined;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #isSynced = false;

  constructor(options: FollowerOptions) {
    const { clock, lastKnownPath: path, logger, prefix, publisher, random, store, writesLastKnown } = options;
    const intervalMs = options.publishIntervalMs ?? DEFAULT_PUBLISH_INTERVAL_MS;
    this.#coalescer = new Coalescer({
      clock,
      intervalMs,
      publish: (pending) => this.#noteSynced(publisher.publish(pending, this.#stopping.signal)),
    });
    const file =
      path === undefined ? undefined : new LastKnownFile({ path, prefix, clock, logger, state: () => this.mirror });
    this.#file = file;
    this.mirror = new Mirror({
      store,
      prefix,
      clock,
      random,
      logger,
      onUpdate: (update) => {
        options.onChanges?.(update.changes);
        this.#coalescer.offer(update);
        if (writesLastKnown && update.source !== "last-known" && update.changes.length > 0) file?.touch();
      },
      ...(file === undefined ? {} : { readLastKnown: () => file.read() }),
    });
  }

  /** A complete configuration was published once. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  #noteSynced(published: Promise<void> | undefined): Promise<void> | undefined {
    if (published === undefined) this.#isSynced = true;
    return published?.then(() => {
      this.#isSynced = true;
    });
  }

  /** {@link republish} for every object that the test is true for. */
  republishWhere(isConcerned: (entry: StoreEntry) => boolean): void {
    const concerned = [...this.mirror.entries.values()].filter(isConcerned);
    this.republish(concerned.map(({ key }) => key));
  }

  start(): void {
    this.#running ??= this.mirror.run(this.#stopping.signal);
  }

  /** Publishes objects again that have not changed but mean something else. */
  republish(keys: readonly string[]): void {
    const { entries, revision } = this.mirror;
    const changes = keys.flatMap((key) => {
      const entry = entries.get(key);
      return entry === undefined ? [] : { key, entry };
    });
    if (revision !== undefined && changes.length > 0) this.#coalescer.offer({ changes, revision, source: "watch" });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#coalescer.stop();
    await this.#running;
    await this.#file?.close();
  }
}
