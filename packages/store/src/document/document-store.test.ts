import { describe, expect, it } from "vitest";
import { expectCode } from "../contract/scene.ts";
import { watchFrom } from "../contract/watch-reader.ts";
import { createDocumentStore } from "./index.ts";

const document = (values: Readonly<Record<string, string>>) => new Map(Object.entries(values));

describe("a document store", () => {
  it("makes reads wait for the first document, empty or not", async () => {
    const store = createDocumentStore();
    const listing = store.list("/");
    store.publish(document({}));
    expect((await listing).entries).toEqual([]);
    await store.close();
  });

  it("ends a read that waits when its signal fires or the store is closed", async () => {
    const store = createDocumentStore();
    const abort = new AbortController();
    const aborted = store.list("/", { signal: abort.signal });
    const closed = store.get("/a");
    abort.abort();
    await expectCode(aborted, "STORE_ABORTED");
    await store.close();
    await expectCode(closed, "STORE_CLOSED");
    expect(() => store.publish(document({}))).toThrow("closed");
  });

  it("tells one change per document, of nothing that stays the same", async () => {
    const store = createDocumentStore();
    const first = store.publish(document({ "/a": "1", "/b": "1", "/c": "1" }));
    await using watch = watchFrom(store, "/", first);
    const second = store.publish(document({ "/b": "2", "/c": "1", "/d": "1" }));
    expect(await watch.next()).toEqual({
      revision: second,
      events: [
        { type: "delete", key: "/a", revision: second },
        { type: "put", entry: { key: "/b", value: "2", createRevision: first, modRevision: second } },
        { type: "put", entry: { key: "/d", value: "1", createRevision: second, modRevision: second } },
      ],
    });
    expect((await store.get("/c"))?.modRevision).toBe(first);
    await store.close();
  });

  it("keeps its revision when a document changes nothing", async () => {
    const store = createDocumentStore();
    const revision = store.publish(document({ "/a": "1" }));
    expect(store.publish(document({ "/a": "1" }))).toBe(revision);
    await store.close();
  });

  it("lets nobody write single keys", async () => {
    const store = createDocumentStore();
    store.publish(document({ "/a": "1" }));
    await expectCode(store.put("/a", "2"), "STORE_READ_ONLY");
    await expectCode(store.delete("/a"), "STORE_READ_ONLY");
    await expectCode(store.deletePrefix("/"), "STORE_READ_ONLY");
    expect((await store.get("/a"))?.value).toBe("1");
    await store.close();
  });
});
