import { systemClock } from "@fngate/kernel";
import { registry } from "@fngate/schema";
import { FakeConfigStore } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { BoundedStore } from "./bounded-store.ts";
import { StoreMirror } from "./store-mirror.ts";
import { RecordingLogger } from "./testing/admin-harness.ts";

/** A store that counts how many entries its lists handed out. */
class CountingStore extends FakeConfigStore {
  listed = 0;
  override async list(...args: Parameters<FakeConfigStore["list"]>): ReturnType<FakeConfigStore["list"]> {
    const listing = await super.list(...args);
    this.listed += listing.entries.length;
    return listing;
  }
}

function mirrorOf(store: FakeConfigStore) {
  const mirror = new StoreMirror({
    store: new BoundedStore(store),
    prefix: "/apisix",
    logger: new RecordingLogger(),
    clock: systemClock,
  });
  const idsOf = async (kind: "route" | "consumer" | "credential" = "route") => {
    const { byKey } = (await mirror.read()).of(registry.byKind(kind));
    return byKey.map(({ key }) => key.slice(key.indexOf("/", "/apisix/".length) + 1));
  };
  return { mirror, idsOf, [Symbol.dispose]: () => mirror.stop() };
}

describe("a read of the mirror", () => {
  it("has every write that was answered before it", async () => {
    await using store = new FakeConfigStore();
    using held = mirrorOf(store);
    expect(await held.idsOf()).toEqual([]);
    for (const id of ["b", "a", "c"]) {
      await store.put(`/apisix/routes/${id}`, "{}");
      expect(await held.idsOf()).toContain(id);
    }
    await store.delete("/apisix/routes/b");
    expect(await held.idsOf()).toEqual(["a", "c"]);
    await store.deletePrefix("/apisix/routes/");
    expect(await held.idsOf()).toEqual([]);
  });

  it("lists the store once, whatever changes", async () => {
    await using store = new CountingStore();
    using held = mirrorOf(store);
    for (let id = 0; id < 50; id += 1) await store.put(`/apisix/routes/${id}`, "{}");
    expect(await held.idsOf()).toHaveLength(50);
    expect(store.listed).toBe(50);
    for (let round = 0; round < 10; round += 1) {
      await store.put("/apisix/routes/0", `{"round":${round}}`);
      expect(await held.idsOf()).toHaveLength(50);
    }
    expect(store.listed).toBe(50);
  });

  it("survives events that never came, a lost connection and a compacted history", async () => {
    await using store = new FakeConfigStore();
    using held = mirrorOf(store);
    expect(await held.idsOf()).toEqual([]);
    store.dropNextEvent();
    await store.put("/apisix/routes/1", "{}");
    expect(await held.idsOf()).toEqual(["1"]);
    store.disconnect();
    await expect(held.idsOf()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    store.reconnect();
    await store.put("/apisix/routes/2", "{}");
    store.compact();
    expect(await held.idsOf()).toEqual(["1", "2"]);
  });

  it("is not held up by other users of the store", async () => {
    await using store = new FakeConfigStore();
    using held = mirrorOf(store);
    await store.put("/apisix/routes/1", "{}");
    expect(await held.idsOf()).toEqual(["1"]);
    await store.put("/elsewhere/1", "{}");
    expect(await held.idsOf()).toEqual(["1"]);
  });

  it("is the same for many at once", async () => {
    await using store = new CountingStore();
    using held = mirrorOf(store);
    await store.put("/apisix/routes/1", "{}");
    expect(await Promise.all([held.idsOf(), held.idsOf(), held.idsOf()])).toEqual([["1"], ["1"], ["1"]]);
    expect(store.listed).toBe(1);
  });
});

describe("what the mirror holds", () => {
  it("tells kinds that share a directory apart, and objects from foreign values", async () => {
    await using store = new FakeConfigStore();
    using held = mirrorOf(store);
    await store.put("/apisix/consumers/", "init_dir");
    await store.put("/apisix/consumers/jack", "{}");
    await store.put("/apisix/consumers/jack/credentials/c1", "{}");
    await store.put("/apisix/consumers/jack/other/c1", "{}");
    await store.put("/apisix/consumers/broken", "{");
    expect(await held.idsOf("consumer")).toEqual(["jack"]);
    expect(await held.idsOf("credential")).toEqual(["jack/credentials/c1"]);
    await store.put("/apisix/consumers/broken", "{}");
    expect(await held.idsOf("consumer")).toEqual(["broken", "jack"]);
    await store.put("/apisix/consumers/broken", "[]");
    expect(await held.idsOf("consumer")).toEqual(["jack"]);
    const view = await held.mirror.read();
    expect(view.hasPlaceholder("/apisix/consumers/")).toBe(true);
    expect(view.hasPlaceholder("/apisix/routes/")).toBe(false);
    await store.delete("/apisix/consumers/");
    expect((await held.mirror.read()).hasPlaceholder("/apisix/consumers/")).toBe(false);
  });

  it("keeps the entries that did not change when it lists anew", async () => {
    await using store = new FakeConfigStore();
    using held = mirrorOf(store);
    await store.put("/apisix/routes/same", "{}");
    await store.put("/apisix/routes/other", "{}");
    const before = (await held.mirror.read()).of(registry.byKind("route")).byKey;
    store.dropNextEvent();
    await store.put("/apisix/routes/other", '{"new":1}');
    const after = (await held.mirror.read()).of(registry.byKind("route")).byKey;
    expect(after[1]).toBe(before[1]);
    expect(after[0]).not.toBe(before[0]);
  });
});
