import { FakeClock, type TempDirectory, tempDirectory } from "@fngate/test-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openEmbeddedStore } from "./index.ts";

let directory: TempDirectory;
beforeEach(async () => {
  directory = await tempDirectory();
});
afterEach(() => directory[Symbol.asyncDispose]());

describe("a store that is open for reading", () => {
  it("lists and follows what the writing one does, and refuses to write", async () => {
    const path = directory.file("store.sqlite");
    const writer = openEmbeddedStore({ path });
    const reader = openEmbeddedStore({ path, readOnly: true });
    await writer.put("/a", "1");
    const { entries, revision } = await reader.list("/");
    expect(entries).toMatchObject([{ key: "/a", value: "1" }]);
    const abort = new AbortController();
    const watch = reader.watch("/", revision, { signal: abort.signal })[Symbol.asyncIterator]();
    const next = watch.next();
    await writer.put("/b", "2");
    expect((await next).value).toMatchObject({ events: [{ type: "put", entry: { key: "/b", value: "2" } }] });
    await expect(reader.put("/c", "3")).rejects.toMatchObject({ code: "STORE_READ_ONLY" });
    await expect(reader.delete("/a")).rejects.toMatchObject({ code: "STORE_READ_ONLY" });
    abort.abort();
    await reader.close();
    await writer.close();
  });

  it("leaves it to the writing one to expire entries", async () => {
    const path = directory.file("store.sqlite");
    const clock = new FakeClock();
    const writer = openEmbeddedStore({ path, clock });
    const reader = openEmbeddedStore({ path, clock, readOnly: true });
    await writer.put("/a", "1", { ttlSeconds: 1 });
    await clock.advance(2_000);
    expect((await reader.list("/")).entries).toHaveLength(1);
    expect((await writer.list("/")).entries).toHaveLength(0);
    expect((await reader.list("/")).entries).toHaveLength(0);
    await reader.close();
    await writer.close();
  });

  it("cannot be opened where there is none", () => {
    expect(() => openEmbeddedStore({ path: directory.file("none.sqlite"), readOnly: true })).toThrow(
      expect.objectContaining({ code: "STORE_UNAVAILABLE" }),
    );
  });
});
