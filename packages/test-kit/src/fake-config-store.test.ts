import type { ConfigStore, Revision, WatchBatch } from "@fngate/store";
import { expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeConfigStore } from "./fake-config-store.ts";

const { signal } = new AbortController();

/** A watch that collects what comes and keeps the code it ends with. */
function follow(store: ConfigStore, after: Revision) {
  const batches: WatchBatch[] = [];
  const ended = (async () => {
    for await (const batch of store.watch("/", after, { signal })) batches.push(batch);
  })().catch((error: { code?: string }) => error.code);
  return { batches, ended };
}

it("dropNextEvent hides one write from every watch, and no later one", async () => {
  await using store = new FakeConfigStore();
  const watch = follow(store, store.revision);
  store.dropNextEvent();
  const hidden = await store.put("/a", "1");
  const shown = await store.put("/a", "2");
  await eventually(() => watch.batches.length > 0);
  expect(watch.batches.map(({ revision }) => revision)).toEqual([shown.revision]);
  expect((await store.get("/a"))?.createRevision).toBe(hidden.revision);
});

it("disconnect fails calls and loses watches until reconnect", async () => {
  await using store = new FakeConfigStore();
  await store.put("/a", "1");
  const watch = follow(store, store.revision);
  await store.put("/a", "2");
  await eventually(() => watch.batches.length > 0);
  store.disconnect();
  expect(await watch.ended).toBe("STORE_WATCH_LOST");
  await expect(store.get("/a")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(await follow(store, store.revision).ended).toBe("STORE_UNAVAILABLE");
  store.reconnect();
  expect((await store.get("/a"))?.value).toBe("2");
});

it("wipe loses data and watches, and lets the revision go backwards", async () => {
  await using store = new FakeConfigStore();
  const { revision } = await store.put("/a", "1");
  const watch = follow(store, revision);
  await store.put("/a", "2");
  await eventually(() => watch.batches.length > 0);
  store.wipe();
  expect(await watch.ended).toBe("STORE_WATCH_LOST");
  const listing = await store.list("/");
  expect(listing.entries).toEqual([]);
  expect(Number(listing.revision)).toBeLessThan(Number(revision));
});

it("delayList holds a list up for as long as the clock says, and its signal ends the wait", async () => {
  const clock = new FakeClock();
  await using store = new FakeConfigStore({ clock });
  store.delayList(500);
  let isListed = false;
  const list = store.list("/").then(() => {
    isListed = true;
  });
  await clock.advance(499);
  expect(isListed).toBe(false);
  await clock.advance(1);
  await list;
  const abort = new AbortController();
  const aborted = store.list("/", { signal: abort.signal });
  abort.abort();
  await expect(aborted).rejects.toMatchObject({ code: "STORE_ABORTED" });
});

it("compact leaves a watch that is up to date alone", async () => {
  await using store = new FakeConfigStore();
  const watch = follow(store, store.revision);
  await store.put("/a", "1");
  await eventually(() => watch.batches.length === 1);
  store.compact();
  await store.put("/a", "2");
  await eventually(() => watch.batches.length === 2);
});
