import { silentLogger } from "@fngate/kernel";
import { parseRevision } from "@fngate/store";
import { eventually, FakeClock, FakeConfigStore } from "@fngate/test-kit";
import { describe, expect, test } from "vitest";
import { BACKOFF, Backoff } from "./backoff.ts";
import { Mirror, type MirrorOptions, type MirrorUpdate } from "./mirror.ts";

/** A mirror that runs, and what it said. */
class RunningMirror implements AsyncDisposable {
  readonly updates: MirrorUpdate[] = [];
  readonly clock = new FakeClock();
  readonly mirror: Mirror;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;

  constructor(store: FakeConfigStore, options: Partial<MirrorOptions> = {}) {
    this.mirror = new Mirror({
      store,
      prefix: "/apisix",
      clock: this.clock,
      random: () => 0,
      logger: silentLogger,
      onUpdate: (update) => this.updates.push(update),
      ...options,
    });
    this.#done = this.mirror.run(this.#abort.signal);
  }

  /** Everything that changed so far, as `key=value`; gone is `key=`. */
  get changes(): string[] {
    return this.updates.flatMap((update) => update.changes.map(({ key, entry }) => `${key}=${entry?.value ?? ""}`));
  }

  /** Advances past one wait between attempts. */
  async retry(): Promise<void> {
    await eventually(() => {
      expect(this.mirror.isReachable).toBe(false);
      expect(this.clock.sleeping).toBe(1);
    });
    await this.clock.advance(BACKOFF.capMs * 2);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }
}

describe("the mirror", () => {
  test("lists, then follows", async () => {
    await using store = new FakeConfigStore();
    await store.put("/apisix/routes/1", "a");
    await store.put("/apisix2/routes/1", "other");
    await using running = new RunningMirror(store);
    await eventually(() => expect(running.changes).toEqual(["/apisix/routes/1=a"]));
    await store.put("/apisix/routes/2", "b");
    await store.delete("/apisix/routes/1");
    await eventually(() => expect(running.changes.slice(1)).toEqual(["/apisix/routes/2=b", "/apisix/routes/1="]));
    expect(running.updates.map((update) => update.source)).toEqual(["listing", "watch", "watch"]);
    expect([...running.mirror.entries.keys()]).toEqual(["/apisix/routes/2"]);
  });

  test("tells the difference only after a lost watch", async () => {
    await using store = new FakeConfigStore();
    await store.put("/apisix/routes/1", "same");
    await store.put("/apisix/routes/2", "old");
    await store.put("/apisix/routes/3", "gone");
    await using running = new RunningMirror(store);
    await eventually(() => expect(running.updates).toHaveLength(1));
    store.disconnect();
    await running.clock.untilSleeping();
    expect(running.mirror.isReachable).toBe(false);
    expect(running.mirror.entries.size).toBe(3);
    store.reconnect();
    await store.put("/apisix/routes/2", "new");
    await store.delete("/apisix/routes/3");
    await running.retry();
    await eventually(() => expect(running.changes.slice(3)).toEqual(["/apisix/routes/2=new", "/apisix/routes/3="]));
    expect(running.mirror.isReachable).toBe(true);
  });

  test("sees a wiped and rewritten store right, although its revisions repeat", async () => {
    await using store = new FakeConfigStore();
    await store.put("/apisix/routes/1", "before");
    await using running = new RunningMirror(store);
    await eventually(() => expect(running.updates).toHaveLength(1));
    store.wipe();
    await store.put("/apisix/routes/1", "after");
    await running.retry();
    await eventually(() => expect(running.changes.slice(1)).toEqual(["/apisix/routes/1=after"]));
  });

  test("applies an empty listing after a wipe", async () => {
    await using store = new FakeConfigStore();
    await store.put("/apisix/routes/1", "a");
    await using running = new RunningMirror(store);
    await eventually(() => expect(running.updates).toHaveLength(1));
    store.wipe();
    await running.retry();
    await eventually(() => expect(running.changes).toEqual(["/apisix/routes/1=a", "/apisix/routes/1="]));
  });

  test("recovers from compaction while disconnected", async () => {
    await using store = new FakeConfigStore();
    await using running = new RunningMirror(store);
    await eventually(() => expect(running.updates).toHaveLength(1));
    store.disconnect();
    await running.clock.untilSleeping();
    store.reconnect();
    await store.put("/apisix/routes/1", "a");
    store.compact();
    await running.retry();
    await eventually(() => expect(running.changes).toEqual(["/apisix/routes/1=a"]));
  });

  test("says nothing about a write that leaves the value as it was", async () => {
    await using store = new FakeConfigStore();
    await store.put("/apisix/routes/1", "a");
    await using running = new RunningMirror(store);
    await eventually(() => expect(running.updates).toHaveLength(1));
    const { revision } = await store.put("/apisix/routes/1", "a");
    await eventually(() => expect(running.mirror.revision).toBe(revision));
    expect(running.changes).toEqual(["/apisix/routes/1=a"]);
  });

  test("starts from the last known state when the store is away, and moves on by difference", async () => {
    await using store = new FakeConfigStore();
    await store.put("/apisix/routes/1", "kept");
    await store.put("/apisix/routes/2", "new");
    const listing = await store.list("/apisix/");
    const [first] = listing.entries;
    if (first === undefined) throw new Error("nothing listed");
    const gone = { ...first, key: "/apisix/routes/9", value: "gone" };
    store.disconnect();
    const readLastKnown = async () => ({ revision: parseRevision(1), entries: [first, gone] });
    await using running = new RunningMirror(store, { readLastKnown });
    await eventually(() => expect(running.updates).toHaveLength(1));
    expect(running.updates[0]?.source).toBe("last-known");
    store.reconnect();
    await running.retry();
    await eventually(() => expect(running.changes.slice(2)).toEqual(["/apisix/routes/2=new", "/apisix/routes/9="]));
  });

  test("gives a first listing that hangs only a short while when there is a last known state", async () => {
    await using store = new FakeConfigStore();
    store.delayList(1_000_000_000);
    await using running = new RunningMirror(store, {
      readLastKnown: async () => ({ revision: parseRevision(1), entries: [] }),
    });
    await running.clock.untilSleeping();
    await running.clock.advance(3_000);
    await eventually(() => expect(running.updates.map((update) => update.source)).toEqual(["last-known"]));
  });
});

describe("the wait between attempts", () => {
  test("doubles to the cap, and starts over after a connection that held", () => {
    const backoff = new Backoff(() => 0);
    const waits = Array.from({ length: 9 }, () => backoff.afterFailure(0));
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    expect(backoff.afterFailure(BACKOFF.resetAfterMs - 1)).toBe(10_000);
    expect(backoff.afterFailure(BACKOFF.resetAfterMs)).toBe(100);
  });

  test("is lengthened by at most half", () => {
    expect(new Backoff(() => 0.999).afterFailure(0)).toBeCloseTo(150, 0);
  });

  test("grows when watches die at once, so that a store that drops them is not hammered", async () => {
    await using store = new FakeConfigStore();
    let watches = 0;
    const failing = {
      list: store.list.bind(store),
      // biome-ignore lint/correctness/useYield: a watch that ends before its first batch
      watch: async function* () {
        watches += 1;
        await null;
        throw new Error("dropped");
      },
      get: store.get.bind(store),
      put: store.put.bind(store),
      delete: store.delete.bind(store),
      deletePrefix: store.deletePrefix.bind(store),
      close: async () => {},
    };
    await using running = new RunningMirror(store, { store: failing });
    // Only the fake clock moves here: advancing also lets everything run that waits for nothing else.
    await running.clock.advance(0);
    for (const [index, waitMs] of [100, 200, 400].entries()) {
      expect([watches, running.clock.sleeping]).toEqual([index + 1, 1]);
      await running.clock.advance(waitMs - 1);
      expect(watches).toBe(index + 1);
      await running.clock.advance(1);
    }
    expect(watches).toBe(4);
  });
});
