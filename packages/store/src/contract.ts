import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { ConfigStore, StoreEntry, StoreEvent, WatchBatch } from "./config-store.ts";
import { compareRevisions, parseRevision, type Revision } from "./revision.ts";

/** A store under test with its fault verbs; disposing closes it and whatever it stands on. */
export interface ContractSubject extends AsyncDisposable {
  readonly store: ConfigStore;
  /** Makes the back end forget its history up to now. */
  compact(): Promise<void>;
  /** Makes at least `ms` milliseconds pass for expiring entries, or does nothing where they pass by themselves. */
  passTime(ms: number): Promise<void>;
  /** Opens a second store on the same data; there when {@link ContractCapabilities.severalClients} is declared. */
  openAnother?(): Promise<ConfigStore>;
}

/** What a back end can do beyond the port's letter. */
export interface ContractCapabilities {
  /** Tells a quiet watch within seconds that the store moved on elsewhere. */
  readonly progressMarks: boolean;
  /** Can be opened more than once on the same data. */
  readonly severalClients: boolean;
}

/** One back end for {@link describeConfigStore}. */
export interface ContractOptions {
  readonly name: string;
  /** Opens a store; it may hold data of earlier calls, since every test keeps to keys of its own. */
  open(): Promise<ContractSubject>;
  readonly capabilities: ContractCapabilities;
  /** Tests left out, by title, each with the reason. */
  readonly skip?: Readonly<Record<string, string>>;
}

/** More than one page of the etcd back end. */
const MANY_KEYS = 2_100;

/** Most milliseconds one test may take: the one with many keys waits for as many durable writes. */
const TEST_TIMEOUT_MS = 60_000;

/** Writes under way at once while many keys are made. */
const WRITERS = 250;

interface Scene {
  readonly subject: ContractSubject;
  readonly store: ConfigStore;
  /** Prefix of this test's keys, ending with a slash. */
  readonly root: string;
}

/** Runs the one suite every ConfigStore passes. */
export function describeConfigStore({ name, open, capabilities, skip = {} }: ContractOptions): void {
  const unknownSkips = new Set(Object.keys(skip));

  const check = (title: string, body: (scene: Scene) => Promise<void>): void => {
    unknownSkips.delete(title);
    const reason = skip[title];
    const run = async () => {
      await using subject = await open();
      await body({ subject, store: subject.store, root: `/contract/${randomUUID()}/` });
    };
    if (reason === undefined) it(title, run, TEST_TIMEOUT_MS);
    else it.skip(`${title} (left out: ${reason})`, run);
  };

  describe(`${name} as a ConfigStore`, () => {
    describeReading(check);
    describeWriting(check);
    describeComparing(check);
    describeWatching(check);
    describeLosing(check);
    describeEnding(check);
    describeExpiring(check);
    if (capabilities.progressMarks) describeProgress(check);
    if (capabilities.severalClients) describeSeveralClients(check);

    it("gives a reason for every test left out, and leaves out only tests there are", () => {
      expect([...unknownSkips]).toEqual([]);
      for (const reason of Object.values(skip)) expect(reason).not.toBe("");
    });
  });
}

type Check = (title: string, body: (scene: Scene) => Promise<void>) => void;

function describeReading(check: Check): void {
  check("answers nothing for a key that does not exist", async ({ store, root }) => {
    expect(await store.get(`${root}none`)).toBeUndefined();
  });

  check("reads back what was written, with the revisions that made it", async ({ store, root }) => {
    const first = await store.put(`${root}a`, "one");
    const second = await store.put(`${root}a`, "two");
    expect(await store.get(`${root}a`)).toEqual({
      key: `${root}a`,
      value: "two",
      createRevision: first.revision,
      modRevision: second.revision,
    });
    expect(compareRevisions(first.revision, second.revision)).toBeLessThan(0);
  });

  check("lists an empty prefix as nothing, at a revision a watch can start from", async ({ store, root }) => {
    const listing = await store.list(root);
    expect(listing.entries).toEqual([]);
    await using watch = watchFrom(store, root, listing.revision);
    const { revision } = await store.put(`${root}a`, "1");
    expect((await watch.next()).revision).toBe(revision);
  });

  check("lists in byte order of the keys, whatever order they were written in", async ({ store, root }) => {
    // U+FF5E sorts before U+1F600 in UTF-8 and after it in UTF-16, which is how JavaScript compares.
    const names = ["A", "Z", "a", "a/b", "b", "é", "\uff5e", "\u{1f600}"];
    for (const name of names.toReversed()) await store.put(root + name, name);
    expect(valuesOf((await store.list(root)).entries)).toEqual(names);
  });

  check("lists at the revision of the last write", async ({ store, root }) => {
    await store.put(`${root}a`, "1");
    const { revision } = await store.put(`${root}b`, "2");
    const listing = await store.list(root);
    expect(compareRevisions(listing.revision, revision)).toBeGreaterThanOrEqual(0);
    expect(listing.entries.at(-1)?.modRevision).toBe(revision);
  });

  check("takes a prefix by its characters, so that a sibling with a longer name stays out", async ({ store, root }) => {
    await store.put(`${root}routes/1`, "in");
    await store.put(`${root}routes_x/1`, "out");
    await store.put(`${root}routes`, "out");
    await store.put(`${root}routes0`, "out");
    expect(valuesOf((await store.list(`${root}routes/`)).entries)).toEqual(["in"]);
    expect(await store.deletePrefix(`${root}routes/`)).toBe(1);
    expect(valuesOf((await store.list(root)).entries)).toEqual(["out", "out", "out"]);
  });

  check("lists everything for the empty prefix", async ({ store, root }) => {
    await store.put(`${root}a`, "1");
    const { entries } = await store.list("");
    expect(entries.map(({ key }) => key)).toContain(`${root}a`);
  });

  check("keeps empty, large and non-ASCII values as they are", async ({ store, root }) => {
    const values = ["", "line\nline\ttab\u0000nul", "\u{1f600} grüße", "x".repeat(1_000_000)];
    await using watch = watchFrom(store, root, (await store.list(root)).revision);
    for (const [index, value] of values.entries()) await store.put(`${root}${index}`, value);
    expect(valuesOf((await store.list(root)).entries)).toEqual(values);
    for (const value of values) expect(await watch.next()).toMatchObject({ events: [{ entry: { value } }] });
  });

  check("lists thousands of keys whole, at one revision", async ({ store, root }) => {
    const names = Array.from({ length: MANY_KEYS }, (_, index) => String(index).padStart(6, "0"));
    for (let start = 0; start < names.length; start += WRITERS) {
      await Promise.all(names.slice(start, start + WRITERS).map((name) => store.put(root + name, name)));
    }
    const { entries, revision } = await store.list(root);
    expect(valuesOf(entries)).toEqual(names);
    expect(entries.every(({ modRevision }) => compareRevisions(modRevision, revision) <= 0)).toBe(true);
    expect(await store.deletePrefix(root)).toBe(MANY_KEYS);
  });
}

function describeWriting(check: Check): void {
  check("answers a write with what the key held before", async ({ store, root }) => {
    const created = await store.put(`${root}a`, "one");
    expect(created.previous).toBeUndefined();
    const { previous } = await store.put(`${root}a`, "two");
    expect(previous).toEqual({
      key: `${root}a`,
      value: "one",
      createRevision: created.revision,
      modRevision: created.revision,
    });
  });

  check("answers a deletion with what was deleted, and creates anew afterwards", async ({ store, root }) => {
    await store.put(`${root}a`, "one");
    const { deleted, revision } = await store.delete(`${root}a`);
    expect(deleted?.value).toBe("one");
    expect(await store.get(`${root}a`)).toBeUndefined();
    const again = await store.put(`${root}a`, "two");
    expect(again.previous).toBeUndefined();
    expect((await store.get(`${root}a`))?.createRevision).toBe(again.revision);
    expect(compareRevisions(revision, again.revision)).toBeLessThan(0);
  });

  check("deletes nothing without a trace", async ({ store, root }) => {
    const before = (await store.list(root)).revision;
    expect(await store.delete(`${root}none`)).toEqual({ revision: before, deleted: undefined });
    expect(await store.deletePrefix(root)).toBe(0);
    expect((await store.list(root)).revision).toBe(before);
  });

  check(
    "deletes a prefix in one transaction, which a watch gets as one batch in key order",
    async ({ store, root }) => {
      for (const name of ["b", "a", "c"]) await store.put(`${root}many/${name}`, name);
      await store.put(`${root}other`, "stays");
      await using watch = watchFrom(store, root, (await store.list(root)).revision);
      expect(await store.deletePrefix(`${root}many/`)).toBe(3);
      const { events, revision } = await watch.next();
      expect(events).toEqual(["a", "b", "c"].map((name) => ({ type: "delete", key: `${root}many/${name}`, revision })));
      expect(valuesOf((await store.list(root)).entries)).toEqual(["stays"]);
    },
  );
}

function describeComparing(check: Check): void {
  check("writes when the expected revision is the current one, and not otherwise", async ({ store, root }) => {
    const first = await store.put(`${root}a`, "one");
    const second = await store.put(`${root}a`, "two", { expect: first.revision });
    await expectCode(store.put(`${root}a`, "three", { expect: first.revision }), "STORE_CONFLICT");
    expect(await store.get(`${root}a`)).toMatchObject({ value: "two", modRevision: second.revision });
  });

  check("creates only where nothing is when told so", async ({ store, root }) => {
    const { revision, previous } = await store.put(`${root}a`, "one", { expect: "absent" });
    expect(previous).toBeUndefined();
    await expectCode(store.put(`${root}a`, "two", { expect: "absent" }), "STORE_CONFLICT");
    await expectCode(store.put(`${root}b`, "two", { expect: revision }), "STORE_CONFLICT");
    expect(valuesOf((await store.list(root)).entries)).toEqual(["one"]);
  });

  check("deletes only what is expected", async ({ store, root }) => {
    const first = await store.put(`${root}a`, "one");
    const second = await store.put(`${root}a`, "two");
    await expectCode(store.delete(`${root}a`, { expect: first.revision }), "STORE_CONFLICT");
    await expectCode(store.delete(`${root}a`, { expect: "absent" }), "STORE_CONFLICT");
    expect((await store.delete(`${root}a`, { expect: second.revision })).deleted?.value).toBe("two");
    expect((await store.delete(`${root}a`, { expect: "absent" })).deleted).toBeUndefined();
    await expectCode(store.delete(`${root}a`, { expect: second.revision }), "STORE_CONFLICT");
  });

  check("lets exactly one of many racing writers win", async ({ store, root }) => {
    const { revision } = await store.put(`${root}a`, "start");
    const names = Array.from({ length: 20 }, (_, index) => `writer ${index}`);
    const results = await Promise.allSettled(names.map((name) => store.put(`${root}a`, name, { expect: revision })));
    const winners = names.filter((_, index) => results[index]?.status === "fulfilled");
    expect(winners).toHaveLength(1);
    expect((await store.get(`${root}a`))?.value).toBe(winners[0]);
  });
}

function describeWatching(check: Check): void {
  check("tells every change in order, with entries and revisions as read", async ({ store, root }) => {
    await using watch = watchFrom(store, root, (await store.list(root)).revision);
    const put = await store.put(`${root}a`, "1");
    const entry = await store.get(`${root}a`);
    const removal = await store.delete(`${root}a`);
    expect(await watch.next()).toEqual({ revision: put.revision, events: [{ type: "put", entry }] });
    expect(await watch.next()).toEqual({
      revision: removal.revision,
      events: [{ type: "delete", key: `${root}a`, revision: removal.revision }],
    });
  });

  check("resumes right after a revision, one batch per transaction", async ({ store, root }) => {
    await store.put(`${root}a`, "before");
    const { revision } = await store.put(`${root}b`, "before");
    const writes = [];
    for (const value of ["1", "2", "3"]) writes.push(await store.put(`${root}a`, value));
    await using watch = watchFrom(store, root, revision);
    for (const write of writes) {
      const batch = await watch.next();
      expect(batch.revision).toBe(write.revision);
      expect(batch.events).toHaveLength(1);
    }
  });

  check("tells of nothing outside the prefix", async ({ store, root }) => {
    await using watch = watchFrom(store, `${root}routes/`, (await store.list(root)).revision);
    await store.put(`${root}routes_x/1`, "out");
    await store.put(`${root}routes`, "out");
    await store.put(`${root}routes/1`, "in");
    expect(keysOf(await watch.next())).toEqual([`${root}routes/1`]);
  });

  check("serves several watches at once, each whole", async ({ store, root }) => {
    const { revision } = await store.list(root);
    const watches = Array.from({ length: 5 }, () => watchFrom(store, root, revision));
    for (const value of ["1", "2", "3"]) await store.put(`${root}a`, value);
    for (const watch of watches) {
      for (const value of ["1", "2", "3"]) {
        expect(await watch.next()).toMatchObject({ events: [{ entry: { value } }] });
      }
      await watch[Symbol.asyncDispose]();
    }
  });

  check("keeps changes for a reader that takes its time", async ({ store, root }) => {
    await using watch = watchFrom(store, root, (await store.list(root)).revision);
    await store.put(`${root}0`, "0");
    await watch.next();
    for (let index = 1; index <= 200; index += 1) await store.put(`${root}${index}`, String(index));
    for (let index = 1; index <= 200; index += 1) expect(keysOf(await watch.next())).toEqual([`${root}${index}`]);
  });
}

function describeLosing(check: Check): void {
  check("loses a watch that starts before a compaction", async ({ subject, store, root }) => {
    const { revision } = await store.put(`${root}a`, "1");
    await store.put(`${root}a`, "2");
    await subject.compact();
    await using watch = watchFrom(store, root, revision);
    await expectCode(watch.next(), "STORE_WATCH_LOST");
  });

  check("watches on from a listing made after a compaction", async ({ subject, store, root }) => {
    await store.put(`${root}a`, "1");
    await subject.compact();
    await using watch = watchFrom(store, root, (await store.list(root)).revision);
    await store.put(`${root}a`, "2");
    expect(await watch.next()).toMatchObject({ events: [{ entry: { value: "2" } }] });
  });

  check("loses a watch from a revision the store has not reached, as after a loss of data", async ({ store, root }) => {
    const { revision } = await store.list(root);
    await using watch = watchFrom(store, root, parseRevision(BigInt(revision) + 1_000_000n));
    await expectCode(watch.next(), "STORE_WATCH_LOST");
  });
}

function describeEnding(check: Check): void {
  check("ends a waiting watch when its signal fires, and no other", async ({ store, root }) => {
    const { revision } = await store.list(root);
    await using aborted = watchFrom(store, root, revision);
    await using other = watchFrom(store, root, revision);
    await store.put(`${root}a`, "1");
    await aborted.next();
    const waiting = aborted.next();
    aborted.abort();
    await expectCode(waiting, "STORE_ABORTED");
    await store.put(`${root}a`, "2");
    expect(await other.next()).toMatchObject({ events: [{ entry: { value: "1" } }] });
    expect(await other.next()).toMatchObject({ events: [{ entry: { value: "2" } }] });
  });

  check("lets a reader leave its watch in the middle", async ({ store, root }) => {
    const { revision } = await store.list(root);
    for (const value of ["1", "2"]) await store.put(`${root}a`, value);
    const { signal } = new AbortController();
    for await (const batch of store.watch(root, revision, { signal })) if (batch.events.length > 0) break;
    expect((await store.get(`${root}a`))?.value).toBe("2");
  });

  check("refuses every call whose signal has fired already", async ({ store, root }) => {
    const { revision } = await store.list(root);
    const signal = AbortSignal.abort();
    await expectCode(store.get(`${root}a`, { signal }), "STORE_ABORTED");
    await expectCode(store.list(root, { signal }), "STORE_ABORTED");
    await expectCode(store.put(`${root}a`, "1", { signal }), "STORE_ABORTED");
    await expectCode(store.delete(`${root}a`, { signal }), "STORE_ABORTED");
    await expectCode(store.deletePrefix(root, { signal }), "STORE_ABORTED");
    await expectCode(firstOf(store.watch(root, revision, { signal })), "STORE_ABORTED");
    expect((await store.list(root)).entries).toEqual([]);
  });

  check("ends its watches when it is closed, and refuses calls from then on", async ({ store, root }) => {
    const { revision } = await store.put(`${root}a`, "0");
    await using watch = watchFrom(store, root, revision);
    await store.put(`${root}a`, "1");
    await watch.next();
    const waiting = watch.next();
    await Promise.all([expectCode(waiting, "STORE_CLOSED"), store.close()]);
    await store.close();
    await expectCode(store.get(`${root}a`), "STORE_CLOSED");
    await expectCode(store.list(root), "STORE_CLOSED");
    await expectCode(store.put(`${root}a`, "2"), "STORE_CLOSED");
    await expectCode(store.delete(`${root}a`), "STORE_CLOSED");
    await expectCode(store.deletePrefix(root), "STORE_CLOSED");
    await expectCode(firstOf(store.watch(root, revision, { signal: new AbortController().signal })), "STORE_CLOSED");
  });
}

function describeExpiring(check: Check): void {
  check("drops an entry when its time is up, with a revision and an event", async ({ subject, store, root }) => {
    const { revision } = await store.put(`${root}a`, "1", { ttlSeconds: 1 });
    await using watch = watchFrom(store, root, revision);
    const waiting = watch.next();
    await subject.passTime(1_000);
    const batch = await waiting;
    expect(batch.events).toEqual([{ type: "delete", key: `${root}a`, revision: batch.revision }]);
    expect(compareRevisions(batch.revision, revision)).toBeGreaterThan(0);
    expect(await store.get(`${root}a`)).toBeUndefined();
  });

  check("keeps an entry that was written again without a time", async ({ subject, store, root }) => {
    await store.put(`${root}a`, "1", { ttlSeconds: 1 });
    await store.put(`${root}a`, "2");
    const { revision } = await store.put(`${root}b`, "gone", { ttlSeconds: 1 });
    await using watch = watchFrom(store, root, revision);
    const waiting = watch.next();
    await subject.passTime(1_000);
    expect(keysOf(await waiting)).toEqual([`${root}b`]);
    expect((await store.get(`${root}a`))?.value).toBe("2");
  });
}

function describeProgress(check: Check): void {
  check("marks progress on a quiet watch with an empty batch", async ({ store, root }) => {
    await using watch = watchFrom(store, `${root}quiet/`, (await store.list(root)).revision);
    const { revision } = await store.put(`${root}busy`, "1");
    let batch = await watch.nextBatch();
    while (compareRevisions(batch.revision, revision) < 0) batch = await watch.nextBatch();
    expect(batch.events).toEqual([]);
  });
}

function describeSeveralClients(check: Check): void {
  check("shows one client's writes to another, read and watched", async ({ subject, store, root }) => {
    const other = await subject.openAnother?.();
    if (other === undefined) throw new Error("the back end declares several clients and opens only one");
    await using watch = watchFrom(other, root, (await other.list(root)).revision);
    const waiting = watch.next();
    const { revision } = await store.put(`${root}a`, "1");
    expect((await waiting).revision).toBe(revision);
    expect((await other.get(`${root}a`))?.modRevision).toBe(revision);
    await expectCode(other.put(`${root}a`, "2", { expect: "absent" }), "STORE_CONFLICT");
    await other.close();
    expect((await store.get(`${root}a`))?.value).toBe("1");
  });
}

/** A watch read step by step. */
class WatchReader implements AsyncDisposable {
  readonly #abort = new AbortController();
  readonly #batches: AsyncIterator<WatchBatch>;

  constructor(store: ConfigStore, prefix: string, after: Revision) {
    this.#batches = store.watch(prefix, after, { signal: this.#abort.signal })[Symbol.asyncIterator]();
  }

  async nextBatch(): Promise<WatchBatch> {
    const { done, value } = await this.#batches.next();
    if (done === true) throw new Error("the watch ended without an error");
    return value;
  }

  /** The next batch that changes something: progress marks may come at any time. */
  async next(): Promise<WatchBatch> {
    let batch = await this.nextBatch();
    while (batch.events.length === 0) batch = await this.nextBatch();
    return batch;
  }

  abort(): void {
    this.#abort.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    await this.#batches.return?.();
  }
}

function watchFrom(store: ConfigStore, prefix: string, after: Revision): WatchReader {
  return new WatchReader(store, prefix, after);
}

async function firstOf<TValue>(values: AsyncIterable<TValue>): Promise<TValue | undefined> {
  for await (const value of values) return value;
  return undefined;
}

async function expectCode(call: Promise<unknown>, code: string): Promise<void> {
  await expect(call).rejects.toMatchObject({ name: "GatewayError", code });
}

function valuesOf(entries: readonly StoreEntry[]): string[] {
  return entries.map(({ value }) => value);
}

function keysOf(batch: WatchBatch): string[] {
  return batch.events.map((event: StoreEvent) => (event.type === "put" ? event.entry.key : event.key));
}
