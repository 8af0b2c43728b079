import { GatewayError } from "@fngate/kernel";
import { type EtcdProcess, eventually, FakeClock, startEtcd, startTcpRelay } from "@fngate/test-kit";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type ConfigStore, parseRevision, type Revision, type WatchBatch } from "../index.ts";
import { type EtcdStoreOptions, openEtcdStore } from "./index.ts";
import { runToEnd } from "./run-to-end.fixture.ts";

let etcd: EtcdProcess;
const opened: ConfigStore[] = [];

beforeAll(async () => {
  etcd = await startEtcd();
});

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

afterAll(async () => {
  await etcd[Symbol.asyncDispose]();
});

function open(options: Partial<EtcdStoreOptions> = {}): ConfigStore {
  const store = openEtcdStore({ hosts: [etcd.url], timeoutMs: 5_000, ...options });
  opened.push(store);
  return store;
}

/** A watch that collects what comes and keeps the error it ends with. */
function follow(store: ConfigStore, after: Revision, signal = new AbortController().signal) {
  const batches: WatchBatch[] = [];
  const ended = (async () => {
    try {
      for await (const batch of store.watch("/", after, { signal })) batches.push(batch);
    } catch (error) {
      return error instanceof GatewayError ? error.code : error;
    }
    return "ended without an error";
  })();
  return { batches, ended };
}

async function watching(store: ConfigStore) {
  const watch = follow(store, (await store.list("/")).revision);
  await store.put("/watched", "yes");
  await eventually(() => watch.batches.length > 0);
  return watch;
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "no error",
    (error) => (error instanceof GatewayError ? error.code : error),
  );

describe("an etcd that is away", () => {
  it("fails calls and watches at once, and serves both as soon as it has started", async () => {
    await etcd.stop();
    const store = open();
    for (let call = 0; call < 10; call += 1) expect(await codeOf(store.get("/a"))).toBe("STORE_UNAVAILABLE");
    expect(await codeOf(store.put("/a", "1"))).toBe("STORE_UNAVAILABLE");
    expect(await follow(store, parseRevision(1)).ended).toBe("STORE_UNAVAILABLE");
    await etcd.restart();
    await eventually(() => store.put("/a", "1"), { deadlineMs: 3_000 });
    await watching(store);
  });

  it("keeps the cause of a failed call", async () => {
    await using relay = await startTcpRelay(etcd.port);
    await relay.cut();
    const host = `127.0.0.1:${relay.port}`;
    await expect(open({ hosts: [host] }).get("/a")).rejects.toMatchObject({
      message: expect.stringContaining(host),
      details: { hosts: `http://${host}` },
      cause: expect.any(Error),
    });
  });

  it.each(["stop", "kill"] as const)("loses a watch on %s, and serves all data after a restart", async (verb) => {
    const store = open();
    await store.put("/kept", verb);
    const watch = await watching(store);
    await etcd[verb]();
    expect(await watch.ended).toBe("STORE_WATCH_LOST");
    expect(await codeOf(store.list("/"))).toBe("STORE_UNAVAILABLE");
    await etcd.restart();
    const kept = await eventually(() => store.get("/kept"));
    expect(kept?.value).toBe(verb);
    await watching(store);
  });

  it("loses a watch that would resume before a compaction, and none begun from a new listing", async () => {
    await using relay = await startTcpRelay(etcd.port);
    const [writer, reader] = [open(), open({ hosts: [`127.0.0.1:${relay.port}`] })];
    const watch = await watching(reader);
    const last = watch.batches.at(-1)?.revision;
    await relay.cut();
    expect(await watch.ended).toBe("STORE_WATCH_LOST");
    await writer.put("/missed", "1");
    await etcd.compact();
    await relay.open();
    await eventually(() => reader.get("/missed"));
    expect(last).toBeDefined();
    if (last !== undefined) expect(await follow(reader, last).ended).toBe("STORE_WATCH_LOST");
    await watching(reader);
  });

  it("loses every watch when its data are wiped, also one from a revision that is no more", async () => {
    const store = open();
    for (let write = 0; write < 5; write += 1) await store.put("/a", String(write));
    const before = await store.list("/");
    const watch = await watching(store);
    await etcd.restart({ wipe: true });
    expect(await watch.ended).toBe("STORE_WATCH_LOST");
    const after = await eventually(() => store.list("/"));
    expect(after.entries).toEqual([]);
    expect(BigInt(after.revision)).toBeLessThan(BigInt(before.revision));
    expect(await follow(store, before.revision).ended).toBe("STORE_WATCH_LOST");
    await watching(store);
  });
});

describe("an etcd that does not answer", () => {
  it("fails a call when the time is up, and serves again as soon as it answers", async () => {
    await using relay = await startTcpRelay(etcd.port);
    const store = open({ hosts: [`127.0.0.1:${relay.port}`], timeoutMs: 500 });
    await eventually(() => store.put("/a", "1"));
    relay.stall();
    expect(await codeOf(store.get("/a"))).toBe("STORE_UNAVAILABLE");
    expect(await codeOf(store.put("/a", "2"))).toBe("STORE_UNAVAILABLE");
    expect(await follow(store, parseRevision(1)).ended).toBe("STORE_UNAVAILABLE");
    await relay.cut();
    await relay.open();
    expect((await eventually(() => store.get("/a")))?.value).toBe("1");
  });

  it("lets a signal end the wait of a call and of a watch that opens", async () => {
    await using relay = await startTcpRelay(etcd.port);
    const store = open({ hosts: [`127.0.0.1:${relay.port}`], timeoutMs: 60_000 });
    const { revision } = await store.put("/a", "1");
    relay.stall();
    const abort = new AbortController();
    const call = codeOf(store.get("/a", { signal: abort.signal }));
    const watch = follow(store, revision, abort.signal);
    abort.abort();
    expect(await call).toBe("STORE_ABORTED");
    expect(await watch.ended).toBe("STORE_ABORTED");
  });

  it("does not hold up close", async () => {
    await using relay = await startTcpRelay(etcd.port);
    const store = open({ hosts: [`127.0.0.1:${relay.port}`], timeoutMs: 60_000 });
    const watch = await watching(store);
    relay.stall();
    const call = codeOf(store.get("/a"));
    await store.close();
    expect(await call).toBe("STORE_CLOSED");
    expect(await watch.ended).toBe("STORE_CLOSED");
  });

  it("loses a watch whose connection is open and dead", async () => {
    await using relay = await startTcpRelay(etcd.port);
    const store = open({ hosts: [`127.0.0.1:${relay.port}`], timeoutMs: 1_000, watchCheckIntervalMs: 50 });
    const watch = await watching(store);
    relay.stall();
    expect(await watch.ended).toBe("STORE_WATCH_LOST");
  });

  it("keeps a quiet watch that proves it is alive", async () => {
    const clock = new FakeClock();
    const store = open({ clock, timeoutMs: 2_000, watchCheckIntervalMs: 1_000 });
    const watch = await watching(store);
    for (let check = 0; check < 3; check += 1) {
      // The next check falls asleep only when the one before has succeeded.
      await clock.untilSleeping();
      await clock.advance(1_000);
    }
    await clock.untilSleeping();
    await store.put("/watched", "still");
    await eventually(() => watch.batches.length > 1);
  });
});

describe("a watch that is over", () => {
  it("leaves nothing behind at etcd, however it ended", async () => {
    const watchers = () => etcd.metric("etcd_debugging_mvcc_watcher_total");
    await eventually(async () => (await watchers()) === 0);
    const [store, closed] = [open(), open()];
    const abort = new AbortController();
    const { revision } = await store.put("/a", "1");
    const aborted = follow(store, revision, abort.signal);
    const unread = follow(closed, revision);
    await eventually(async () => (await watchers()) === 2);
    abort.abort();
    await closed.close();
    expect(await Promise.all([aborted.ended, unread.ended])).toEqual(["STORE_ABORTED", "STORE_CLOSED"]);
    await store.put("/a", "2");
    for await (const batch of store.watch("/", revision, { signal: new AbortController().signal })) {
      if (batch.events.length > 0) break;
    }
    await eventually(async () => (await watchers()) === 0);
  });
});

describe("several endpoints", () => {
  it.each([0, 1])("work while number %i refuses connections", async (dead) => {
    await using relay = await startTcpRelay(etcd.port);
    await relay.cut();
    const hosts = [etcd.url, etcd.url].with(dead, `127.0.0.1:${relay.port}`);
    const store = open({ hosts });
    expect((await store.put(`/dead/${dead}`, "1")).previous).toBeUndefined();
    expect((await store.get(`/dead/${dead}`))?.value).toBe("1");
    await watching(store);
  });

  it("work while the first accepts connections and says nothing", async () => {
    await using relay = await startTcpRelay(etcd.port);
    relay.stall();
    const store = open({ hosts: [`127.0.0.1:${relay.port}`, etcd.url], timeoutMs: 2_000 });
    const { revision } = await store.put("/silent", "1");
    expect((await store.get("/silent"))?.modRevision).toBe(revision);
    await watching(store);
  });

  it("lose a watch when its endpoint goes, and take it up at the other", async () => {
    await using relay = await startTcpRelay(etcd.port);
    const store = open({ hosts: [`127.0.0.1:${relay.port}`, etcd.url] });
    const watch = await watching(store);
    expect(relay.connections).toBeGreaterThan(0);
    await relay.cut();
    expect(await watch.ended).toBe("STORE_WATCH_LOST");
    await watching(store);
  });
});

describe("openEtcdStore", () => {
  it("lets the process end after close, whatever etcd does", async () => {
    await using away = await startTcpRelay(etcd.port);
    await away.cut();
    await using silent = await startTcpRelay(etcd.port);
    silent.stall();
    const ends = [
      runToEnd({ hosts: [etcd.url], timeoutMs: 10_000 }),
      runToEnd({ hosts: [`127.0.0.1:${away.port}`], timeoutMs: 10_000 }),
      runToEnd({ hosts: [`127.0.0.1:${silent.port}`], timeoutMs: 500 }),
    ];
    expect(await Promise.all(ends)).toEqual(["answered", "STORE_UNAVAILABLE", "STORE_UNAVAILABLE"]);
  });

  it.each([["ftp://127.0.0.1:1"], ["http://user:hush@127.0.0.1:1"], ["http://127.0.0.1:1/path"], [""]])(
    "refuses the endpoint %j without showing a password",
    (host) => {
      const problem = expect.objectContaining({ code: "CONFIG_INVALID", message: expect.not.stringContaining("hush") });
      expect(() => openEtcdStore({ hosts: [host], timeoutMs: 1_000 })).toThrow(problem);
    },
  );

  it("refuses to work without any endpoint", () => {
    const problem = expect.objectContaining({ code: "CONFIG_INVALID" });
    expect(() => openEtcdStore({ hosts: [], timeoutMs: 1_000 })).toThrow(problem);
  });
});
