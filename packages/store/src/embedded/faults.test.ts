import { stat, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { FakeClock, type TempDirectory, tempDirectory } from "@fngate/test-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ConfigStore, parseRevision, type WatchBatch } from "../index.ts";
import { runProcess } from "../run-process.fixture.ts";
import { type EmbeddedStoreOptions, openEmbeddedStore } from "./index.ts";

let directory: TempDirectory;
let path: string;
const opened: ConfigStore[] = [];

beforeEach(async () => {
  directory = await tempDirectory();
  path = directory.file("deep/down/store.db");
});

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await directory[Symbol.asyncDispose]();
});

function open(options: Partial<EmbeddedStoreOptions> = {}): ConfigStore {
  const store = openEmbeddedStore({ path, ...options });
  opened.push(store);
  return store;
}

/** Reads batches that change something until there are `count`. */
async function take(watch: AsyncIterable<WatchBatch>, count: number): Promise<WatchBatch[]> {
  const batches: WatchBatch[] = [];
  for await (const batch of watch) {
    if (batch.events.length > 0) batches.push(batch);
    if (batches.length === count) break;
  }
  return batches;
}

const { signal } = new AbortController();

const problem = (message: string) =>
  expect.objectContaining({ code: "STORE_UNAVAILABLE", message: expect.stringContaining(message) });

/** Code of another process: `store` is open on the same file. */
function elsewhere(code: string): Promise<string> {
  const module = JSON.stringify(new URL("./index.ts", import.meta.url).href);
  return runProcess(`
    const { openEmbeddedStore } = await import(${module});
    const store = openEmbeddedStore({ path: ${JSON.stringify(path)} });
    ${code}
  `);
}

describe("a store that is opened again", () => {
  it("has its data, its revisions and its history", async () => {
    const first = open();
    const { revision } = await first.put("/a", "1");
    const last = await first.put("/a", "2");
    await first.close();
    const again = open();
    expect(await again.get("/a")).toMatchObject({ value: "2", createRevision: revision, modRevision: last.revision });
    expect(await take(again.watch("/", revision, { signal }), 1)).toMatchObject([{ revision: last.revision }]);
    const next = await again.put("/b", "1", { expect: "absent" });
    expect(Number(next.revision)).toBe(Number(last.revision) + 1);
  });

  it("has everything a process wrote that was killed right after the acknowledgement", async () => {
    await elsewhere(`await store.put("/a", "acknowledged"); process.kill(process.pid, "SIGKILL");`);
    expect((await open().get("/a"))?.value).toBe("acknowledged");
  });

  it("drops what expired meanwhile, with an event", async () => {
    const clock = new FakeClock();
    const first = open({ clock });
    const { revision } = await first.put("/a", "1", { ttlSeconds: 10 });
    await first.close();
    await clock.advance(10_000);
    const again = open({ clock });
    expect(await again.get("/a")).toBeUndefined();
    expect(await take(again.watch("/", revision, { signal }), 1)).toMatchObject([{ events: [{ type: "delete" }] }]);
  });
});

describe("several processes on one file", () => {
  it("hear of each other's writes", async () => {
    const store = open();
    const batches = take(store.watch("/", (await store.list("/")).revision, { signal }), 2);
    await elsewhere(`await store.put("/a", "1"); await store.delete("/a"); await store.close();`);
    expect(await batches).toMatchObject([
      { events: [{ type: "put", entry: { key: "/a", value: "1" } }] },
      { events: [{ type: "delete", key: "/a" }] },
    ]);
  });

  it("lose no update when they race", async () => {
    const store = open();
    await store.put("/counter", "0");
    const increments = `
      for (let count = 0; count < 40;) {
        const { value, modRevision } = await store.get("/counter");
        await new Promise(setImmediate);
        await store.put("/counter", String(Number(value) + 1), { expect: modRevision }).then(
          () => { count += 1; },
          (error) => { if (error.code !== "STORE_CONFLICT") throw error; },
        );
      }
      await store.close();
    `;
    await Promise.all([elsewhere(increments), elsewhere(increments)]);
    expect((await store.get("/counter"))?.value).toBe("80");
  });

  it("fail a write, and nothing else, while one of them does not let go", async () => {
    const store = open();
    await store.put("/a", "1");
    const hog = new DatabaseSync(path);
    hog.exec("BEGIN IMMEDIATE");
    await expect(store.put("/a", "2")).rejects.toThrow(problem("locked"));
    expect((await store.get("/a"))?.value).toBe("1");
    hog.close();
    await store.put("/a", "2");
  });
});

describe("a bounded history", () => {
  it("serves a watch from its last revisions and loses an earlier one", async () => {
    const store = open({ historyLimit: 3 });
    for (let write = 0; write < 10; write += 1) await store.put("/a", String(write));
    const last = Number((await store.list("/")).revision);
    expect(await take(store.watch("/", parseRevision(last - 3), { signal }), 3)).toHaveLength(3);
    const lost = take(store.watch("/", parseRevision(last - 4), { signal }), 1);
    await expect(lost).rejects.toMatchObject({ code: "STORE_WATCH_LOST" });
  });

  it("catches up over more revisions than one read takes", async () => {
    const store = open({ path: ":memory:" });
    const { revision } = await store.list("/");
    for (let write = 0; write < 1_200; write += 1) await store.put("/a", String(write));
    const batches = await take(store.watch("/", revision, { signal }), 1_200);
    expect(batches.map(({ events }) => (events[0]?.type === "put" ? Number(events[0].entry.value) : -1))).toEqual(
      Array.from({ length: 1_200 }, (_, write) => write),
    );
  });
});

describe("many entries", () => {
  /** Past the store's interface, which makes every single write durable. */
  function insert(count: number): readonly string[] {
    const keys = Array.from({ length: count }, (_, index) => `/many/${String(index).padStart(5, "0")}`);
    const database = new DatabaseSync(path);
    database.exec("BEGIN");
    const statement = database.prepare("INSERT INTO entries VALUES (?, 'v', 1, 1, NULL)");
    for (const key of keys) statement.run(key);
    database.exec("COMMIT");
    database.close();
    return keys;
  }

  it.each([999, 1_000, 1_001, 3_500])("are listed in the order of their keys (%i)", async (count) => {
    const store = open();
    const keys = insert(count);
    await store.put("/other", "1");
    expect((await store.list("/many/")).entries.map(({ key }) => key)).toEqual(keys);
  });

  it("are listed as of one revision, while the process goes on and writes", async () => {
    const store = open();
    const keys = insert(3_500);
    const { revision } = await store.put("/many/00000", "new");
    const listing = store.list("/many/");
    await store.put("/many/99999", "late");
    await store.delete("/many/03499");
    const listed = await listing;
    expect(listed.revision).toBe(revision);
    expect(listed.entries.map(({ key }) => key)).toEqual(keys);
    expect(listed.entries[0]?.value).toBe("new");
    const changes = await take(store.watch("/many/", listed.revision, { signal }), 2);
    expect(changes.flatMap(({ events }) => events.map(({ type }) => type))).toEqual(["put", "delete"]);
  });

  it("are no longer listed once the store is closed or the call aborted", async () => {
    const store = open();
    insert(3_500);
    const abort = new AbortController();
    const aborted = store.list("/many/", { signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: "STORE_ABORTED" });
    const closed = store.list("/many/");
    await store.close();
    await expect(closed).rejects.toMatchObject({ code: "STORE_CLOSED" });
  });
});

describe("a file that cannot be the store", () => {
  it("is made readable by this user only, with its directories", async () => {
    await open().put("/a", "1");
    for (const file of [path, `${path}-wal`]) expect((await stat(file)).mode & 0o077).toBe(0);
  });

  it("is named when it is no database", async () => {
    path = directory.file("notes.txt");
    await writeFile(path, "no database, but long enough that SQLite takes its first page for a header\n".repeat(100));
    expect(() => open()).toThrow(problem(path));
  });

  it("is named when it is a directory", async () => {
    path = directory.path;
    expect(() => open()).toThrow(problem(path));
  });

  it("is left alone when it belongs to another program", async () => {
    path = directory.file("other.db");
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE theirs (id INTEGER)");
    expect(() => open()).toThrow(problem("another program"));
    expect(other.prepare("SELECT name FROM sqlite_schema").all()).toEqual([{ name: "theirs" }]);
    expect(other.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "delete" });
    other.close();
  });

  it("is left alone when a newer release wrote it", async () => {
    await open().close();
    const newer = new DatabaseSync(path);
    newer.exec("PRAGMA user_version = 99");
    newer.close();
    expect(() => open()).toThrow(problem("format 99"));
  });
});
