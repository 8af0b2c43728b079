import { GatewayError, messageOf } from "@fngate/kernel";
import type { IEvent, IWatchRequest, IWatchResponse } from "etcd3";
import { waitFor } from "../call-guard.ts";
import type { WatchBatch } from "../config-store.ts";
import { compareRevisions, parseRevision, type Revision } from "../revision.ts";
import type { Endpoint } from "./endpoints.ts";
import { eventOf, rangeOf, revisionOf } from "./entry.ts";

/** How many batches may wait for a slow reader; one that is further behind does better to list again. */
const MAX_WAITING_BATCHES = 10_000;

/** What is to be watched. */
export interface WatchRequest {
  readonly prefix: string;
  readonly after: Revision;
  /** Fires when the caller stopped waiting for the watch to open. */
  readonly abandoned: AbortSignal;
}

/** How long a watch that is to prove it is alive may keep silent before it is asked again. */
const ASK_AGAIN_MS = 250;

type WatchStream = Awaited<ReturnType<Endpoint["client"]["watchClient"]["watch"]>>;

/**
 * One watch on one gRPC stream of its own.
 *
 * etcd3's watch manager is left out on purpose: it reconnects and resumes without a word, which hides a wiped
 * etcd, and it carries every watch on one stream. Here any irregularity ends the watch for good.
 */
export class EtcdWatch {
  readonly endpoint: Endpoint;
  readonly #stream: WatchStream;
  readonly #created = Promise.withResolvers<void>();
  readonly #waiting: WatchBatch[] = [];
  #changed = Promise.withResolvers<void>();
  #failure: GatewayError | undefined;
  #isEnded = false;
  /** The latest revision etcd named on this stream, in any answer. */
  #seen: Revision;
  #id: string | undefined;
  /** Counts what arrived after the watch was confirmed. */
  #heard = 0;

  private constructor(endpoint: Endpoint, stream: WatchStream, after: Revision) {
    this.endpoint = endpoint;
    this.#stream = stream;
    this.#seen = after;
    // Subscribed in the same turn the stream was made in: nothing can arrive unheard.
    stream.on("data", (response) => this.#hear(response));
    stream.on("error", (error) => this.#break(`the watch's connection failed: ${messageOf(error)}`, error));
    stream.on("end", () => this.#break("etcd ended the watch"));
  }

  /**
   * Opens a watch; resolves when etcd has confirmed it, rejects with `STORE_WATCH_LOST` when it will not and with
   * etcd3's error when the endpoint is away. Left waiting, it ends when `abandoned` fires.
   */
  static async open(endpoint: Endpoint, { prefix, after, abandoned }: WatchRequest): Promise<EtcdWatch> {
    const stream = await endpoint.client.watchClient.watch();
    const watch = new EtcdWatch(endpoint, stream, after);
    const giveUp = () => watch.fail("nobody waits for the watch any more");
    abandoned.addEventListener("abort", giveUp, { once: true });
    if (abandoned.aborted) giveUp();
    const start_revision = (BigInt(after) + 1n).toString();
    watch.#send({ create_request: { ...rangeOf(prefix), start_revision, progress_notify: true } });
    await watch.#created.promise;
    return watch;
  }

  /** Batches as they come, until the watch fails or a signal fires. */
  async *batches(signals: readonly AbortSignal[]): AsyncGenerator<WatchBatch, void, undefined> {
    while (!signals.some((signal) => signal.aborted)) {
      const changed = this.#changed.promise;
      const batch = this.#waiting.shift();
      if (batch !== undefined) yield batch;
      else if (this.#failure !== undefined) throw this.#failure;
      else await waitFor(changed, signals);
    }
  }

  /**
   * Asks etcd for a sign of life on this stream and resolves once a new answer names `revision` or a later one.
   *
   * Answers to such a request are no progress marks: before 3.4.25 and 3.5.8 etcd may send them ahead of events.
   */
  async prove(revision: Revision, done: AbortSignal): Promise<void> {
    const heard = this.#heard;
    while (this.#heard === heard || compareRevisions(this.#seen, revision) < 0) {
      if (this.#isEnded || done.aborted) return;
      const changed = this.#changed.promise;
      this.#send({ progress_request: {} });
      // Asked again at intervals: newer releases leave the question unanswered while the watch catches up.
      await waitFor(changed, [done, AbortSignal.timeout(ASK_AGAIN_MS)]);
    }
  }

  /** Ends the watch with `STORE_WATCH_LOST`; batches that have arrived are still delivered. */
  fail(reason: string, cause?: unknown): void {
    this.#break(reason, cause);
  }

  /** Frees the stream. */
  close(): void {
    this.#isEnded = true;
    // Half-closed first: etcd3 takes the error of a cancelled stream it could still write to for a dead endpoint.
    this.#stream.end();
    this.#stream.cancel();
    this.#wake();
  }

  #send(request: IWatchRequest): void {
    if (!this.#isEnded) this.#stream.write(request);
  }

  #hear(response: IWatchResponse): void {
    if (this.#isEnded) return;
    try {
      this.#take(response);
    } catch (error) {
      this.#break(`etcd sent what cannot be understood: ${messageOf(error)}`, error);
    }
  }

  #take(response: IWatchResponse): void {
    const revision = revisionOf(response.header);
    if (response.canceled) {
      const { compact_revision: compacted } = response;
      this.#break(`etcd cancelled the watch (compacted up to ${compacted}, at revision ${revision})`);
    } else if (response.created) {
      this.#id = response.watch_id;
      this.#created.resolve();
    } else if (compareRevisions(revision, this.#seen) < 0) {
      this.#break(`etcd's revision went back from ${this.#seen} to ${revision}`);
    } else {
      this.#seen = revision;
      this.#heard += 1;
      this.#queue(response, revision);
      this.#wake();
    }
  }

  #queue(response: IWatchResponse, revision: Revision): void {
    if (response.events.length > 0) this.#waiting.push(...batchesOf(response.events));
    else if (response.watch_id === this.#id) this.#waiting.push({ revision, events: [] });
    if (this.#waiting.length > MAX_WAITING_BATCHES) {
      this.#waiting.length = 0;
      this.#break(`the reader is more than ${MAX_WAITING_BATCHES} batches behind`);
    }
  }

  #break(reason: string, cause?: unknown): void {
    if (this.#isEnded) return;
    const details = { endpoint: this.endpoint.url };
    this.#failure = new GatewayError("STORE_WATCH_LOST", reason, { cause, details });
    // A watch that never came to be is refused with what etcd said; the caller tells a dead endpoint from the rest.
    this.#created.reject(cause ?? this.#failure);
    this.close();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** One batch per transaction: while a watch catches up, etcd puts several into one message. */
function batchesOf(events: readonly IEvent[]): WatchBatch[] {
  const byRevision = Map.groupBy(events, (event) => event.kv.mod_revision);
  return [...byRevision].map(([revision, group]) => ({
    revision: parseRevision(revision),
    events: group.map(eventOf),
  }));
}
