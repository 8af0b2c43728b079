import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger } from "@fngate/kernel";
import { parseRevision, type StoreEntry } from "@fngate/store";
import { FakeClock, tempDirectory } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { LastKnownFile } from "./last-known-file.ts";

function entry(key: string, value: string): StoreEntry {
  return { key, value, createRevision: parseRevision(3), modRevision: parseRevision(4) };
}

function stateOf(...entries: readonly StoreEntry[]) {
  return { entries: new Map(entries.map((one) => [one.key, one])), revision: parseRevision(7) };
}

function fileAt(path: string, state: ReturnType<typeof stateOf>, clock = new FakeClock()): LastKnownFile {
  return new LastKnownFile({ path, prefix: "/apisix", clock, logger: silentLogger, state: () => state });
}

test("what was written is read back, and only the owner may read it", async () => {
  await using directory = await tempDirectory();
  const path = join(directory.path, "last-known");
  const entries = Array.from({ length: 4_000 }, (_, index) =>
    entry(`/apisix/routes/${index}`, `{"n":${index},"t":"ä\\n\u2028"}`),
  );
  const file = fileAt(path, stateOf(...entries));
  file.touch();
  await file.close();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await fileAt(path, stateOf()).read()).toEqual({ revision: "7", entries });
});

test("a burst of changes is written once, after a quiet moment", async () => {
  await using directory = await tempDirectory();
  const path = join(directory.path, "last-known");
  const clock = new FakeClock();
  const file = fileAt(path, stateOf(entry("/apisix/routes/1", "{}")), clock);
  file.touch();
  file.touch();
  expect(clock.sleeping).toBe(1);
  expect(await file.read()).toBeUndefined();
  await clock.advance(1_000);
  await file.close();
  expect((await file.read())?.entries).toHaveLength(1);
});

test.each([
  { what: "cut short", edit: (text: string) => text.slice(0, -30) },
  { what: "without its end", edit: (text: string) => `${text.split("\n")[0]}\n` },
  { what: "of another prefix", edit: (text: string) => text.replace("/apisix", "/other") },
  { what: "no JSON", edit: () => "hello\n" },
])("a file that is $what is refused", async ({ edit }) => {
  await using directory = await tempDirectory();
  const path = join(directory.path, "last-known");
  const file = fileAt(path, stateOf(entry("/apisix/routes/1", "{}"), entry("/apisix/routes/2", "{}")));
  file.touch();
  await file.close();
  await writeFile(path, edit(await readFile(path, "utf8")));
  await expect(file.read()).rejects.toThrow();
});
