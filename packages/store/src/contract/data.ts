import { expect } from "vitest";
import type { StoreEntry } from "../config-store.ts";
import { compareRevisions } from "../revision.ts";
import { type Check, expectCode } from "./scene.ts";
import { keysOf, watchFrom } from "./watch-reader.ts";

/** More than one page of the etcd back end. */
const MANY_KEYS = 2_100;

/** Writes under way at once while many keys are made. */
const WRITERS = 250;

/** Getting and listing. */
export function describeReading(check: Check): void {
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

/** Putting and deleting. */
export function describeWriting(check: Check): void {
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

  check("settles writes that are under way at once each by itself", async ({ store, root }) => {
    const { revision } = await store.put(`${root}old`, "old");
    await using watch = watchFrom(store, root, revision);
    const names = Array.from({ length: 40 }, (_, index) => String(index).padStart(2, "0"));
    const settled = await Promise.allSettled([
      ...names.map((name, index) => store.put(root + name, name, { expect: index % 3 === 0 ? revision : "absent" })),
      store.delete(`${root}old`, { expect: "absent" }),
      store.delete(`${root}none`),
      store.put(`${root}old`, "new", { expect: revision }),
    ]);
    const stored = names.filter((_, index) => index % 3 !== 0);
    expect(settled.slice(0, 40).map(({ status }) => status)).toEqual(
      names.map((name) => (stored.includes(name) ? "fulfilled" : "rejected")),
    );
    expect(settled.slice(40).map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect(settled[42]).toMatchObject({ value: { previous: { value: "old", modRevision: revision } } });
    const { entries } = await store.list(root);
    expect(valuesOf(entries)).toEqual([...stored, "new"]);
    const revisions = new Map(entries.map(({ key, modRevision }) => [key, modRevision]));
    for (const [index, name] of names.entries()) {
      if (index % 3 !== 0) expect(settled[index]).toMatchObject({ value: { revision: revisions.get(root + name) } });
    }
    const seen: string[] = [];
    while (seen.length < entries.length) seen.push(...keysOf(await watch.next()));
    expect(seen.toSorted()).toEqual(entries.map(({ key }) => key));
  });

  check("keeps the order of writes of one key that are under way at once", async ({ store, root }) => {
    const values = Array.from({ length: 20 }, (_, index) => String(index));
    const results = await Promise.all(values.map((value) => store.put(`${root}a`, value)));
    expect((await store.get(`${root}a`))?.value).toBe("19");
    expect(results.map(({ previous }) => previous?.value)).toEqual([undefined, ...values.slice(0, -1)]);
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

/** Compare-and-set. */
export function describeComparing(check: Check): void {
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

/** Entries with a time to live. */
export function describeExpiring(check: Check): void {
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

/** Two stores on the same data. */
export function describeSeveralClients(check: Check): void {
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

function valuesOf(entries: readonly StoreEntry[]): string[] {
  return entries.map(({ value }) => value);
}
