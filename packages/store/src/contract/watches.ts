import { expect } from "vitest";
import { compareRevisions, parseRevision } from "../revision.ts";
import { type Check, expectCode } from "./scene.ts";
import { keysOf, watchFrom } from "./watch-reader.ts";

/** What a watch tells. */
export function describeWatching(check: Check): void {
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

/** When a watch is lost. */
export function describeLosing(check: Check): void {
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

/** Signals and closing. */
export function describeEnding(check: Check): void {
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

/** Progress marks. */
export function describeProgress(check: Check): void {
  check("marks progress on a quiet watch with an empty batch", async ({ store, root }) => {
    await using watch = watchFrom(store, `${root}quiet/`, (await store.list(root)).revision);
    const { revision } = await store.put(`${root}busy`, "1");
    let batch = await watch.nextBatch();
    while (compareRevisions(batch.revision, revision) < 0) batch = await watch.nextBatch();
    expect(batch.events).toEqual([]);
  });
}

async function firstOf<TValue>(values: AsyncIterable<TValue>): Promise<TValue | undefined> {
  for await (const value of values) return value;
  return undefined;
}
