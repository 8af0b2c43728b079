import { readdir, writeFile } from "node:fs/promises";
import { silentLogger } from "@fngate/kernel";
import { recordingLogger } from "@fngate/plugin-kit/testing";
import { tempDirectory } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { parseDirectives, parseVary, secondsOf } from "./cache-control.ts";
import type { CachedAnswer, CacheStore } from "./cache-store.ts";
import { DiskStore } from "./disk-store.ts";
import { MemoryStore } from "./memory-store.ts";
import { VariantCache } from "./variant-cache.ts";

function answer(text: string): CachedAnswer {
  return { status: 200, headers: ["A", "b"], body: Buffer.from(text), storedAtMs: 1, ttlSeconds: 2 };
}

/** Declares what every store does. */
function describeStore(name: string, open: (maxBytes: number) => Promise<CacheStore & AsyncDisposable>): void {
  describe(name, () => {
    it("hands out what was set last, whole", async () => {
      await using store = await open(100_000);
      expect(await store.get("k")).toBeUndefined();
      await store.set("k", answer("one"));
      await store.set("k", answer("two\nlines"));
      const found = await store.get("k");
      expect({ ...found, body: String(found?.body) }).toEqual({ ...answer(""), body: "two\nlines" });
    });

    it("deletes, and says whether there was something", async () => {
      await using store = await open(100_000);
      await store.set("k", answer("one"));
      expect([await store.delete("k"), await store.delete("k")]).toEqual([true, false]);
      expect(await store.get("k")).toBeUndefined();
    });

    it("deletes what is still being set", async () => {
      await using store = await open(100_000);
      const writes = ["one", "two"].map((text) => store.set("k", answer(text)));
      expect(await store.delete("k")).toBe(true);
      await Promise.all(writes);
      expect(await store.get("k")).toBeUndefined();
    });

    it("pushes out what was used longest ago, and does not take what is too large", async () => {
      await using store = await open(10_000);
      for (const key of ["a", "b"]) await store.set(key, answer("x".repeat(4_000)));
      await store.get("a");
      await store.set("c", answer("x".repeat(4_000)));
      const kept = [];
      for (const key of ["a", "b", "c"]) kept.push((await store.get(key)) !== undefined);
      expect(kept).toEqual([true, false, true]);
      await store.set("huge", answer("x".repeat(20_000)));
      expect(await store.get("huge")).toBeUndefined();
      expect(await store.get("c")).toBeDefined();
    });
  });
}

describeStore("answers in memory", async (maxBytes) =>
  Object.assign(new MemoryStore(maxBytes), { [Symbol.asyncDispose]: () => Promise.resolve() }),
);

describeStore("answers on disk", async (maxBytes) => {
  const directory = await tempDirectory();
  const store = new DiskStore({ directory: directory.path, maxBytes, logger: silentLogger });
  return Object.assign(store, { [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() });
});

describe("answers on disk", () => {
  it("are gone when their file is damaged, and drafts are cleared away", async () => {
    await using directory = await tempDirectory();
    const options = { directory: directory.path, maxBytes: 10_000, logger: silentLogger };
    await new DiskStore(options).set("k", answer("one"));
    await writeFile(directory.file("left.draft"), "half");
    const [file = ""] = (await readdir(directory.path, { recursive: true })).filter((path) => path.includes("/"));
    await writeFile(directory.file(file), "{}\nother");
    const store = new DiskStore(options);
    expect(await store.get("k")).toBeUndefined();
    const left = await readdir(directory.path, { recursive: true });
    expect(left.filter((path) => path.includes("/") || path.endsWith(".draft"))).toEqual([]);
  });

  it("are none when the directory cannot be used, which is told once", async () => {
    await using directory = await tempDirectory();
    await writeFile(directory.file("file"), "");
    const logger = recordingLogger();
    const store = new DiskStore({ directory: directory.file("file"), maxBytes: 10_000, logger });
    await store.set("k", answer("one"));
    expect(await store.get("k")).toBeUndefined();
    expect(logger.lines.map(({ level }) => level)).toEqual(["error"]);
  });
});

describe("variants", () => {
  it("are at most so many of one address, the oldest going first", async () => {
    const cache = new VariantCache(new MemoryStore(10_000_000));
    const fieldOf = (value: number) => () => String(value);
    for (let value = 0; value <= 64; value += 1) {
      await cache.keep({ address: "a", fieldOf: fieldOf(value) }, ["x"], answer(String(value)));
    }
    expect(await cache.find("a", fieldOf(0))).toBeUndefined();
    expect(await cache.find("a", fieldOf(1))).toBeDefined();
    expect(await cache.find("a", fieldOf(64))).toBeDefined();
  });

  it("are forgotten when the answers of the address begin to vary otherwise", async () => {
    const cache = new VariantCache(new MemoryStore(10_000_000));
    const fieldOf = (name: string) => name;
    await cache.keep({ address: "a", fieldOf }, ["x"], answer("one"));
    await cache.keep({ address: "a", fieldOf }, [], answer("two"));
    expect(String((await cache.find("a", fieldOf))?.body)).toBe("two");
    expect(await cache.purge("a")).toBe(true);
  });
});

describe("cache-control", () => {
  it("is read by lower-case names, quoted values without their quotes", () => {
    const directives = parseDirectives(['Max-Age=5, private="a"', "no-store, , s-maxage=x"]);
    expect([...directives]).toEqual([
      ["max-age", "5"],
      ["private", "a"],
      ["no-store", true],
      ["s-maxage", "x"],
    ]);
    expect([secondsOf(directives, "max-age"), secondsOf(directives, "s-maxage")]).toEqual([5, undefined]);
  });

  it("leaves vary sorted and once each", () => {
    expect(parseVary(["B, a", "b,"])).toEqual(["a", "b"]);
    expect(parseVary(["a, *"])).toBeUndefined();
  });
});
