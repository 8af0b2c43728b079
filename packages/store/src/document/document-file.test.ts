import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { GatewayError, type LogFields, type Logger, systemClock } from "@fngate/kernel";
import { eventually, FakeClock, type TempDirectory, tempDirectory } from "@fngate/test-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectCode } from "../contract/scene.ts";
import type { ConfigStore } from "../index.ts";
import { type DocumentFileOptions, type DocumentParser, openDocumentFile } from "./index.ts";

let directory: TempDirectory;
let path: string;
const opened: ConfigStore[] = [];
const logged: { level: string; fields: LogFields; message: string }[] = [];

const write = (level: string) => (fields: LogFields, message: string) => void logged.push({ level, fields, message });
const logger: Logger = {
  debug: write("debug"),
  info: write("info"),
  warn: write("warn"),
  error: write("error"),
  child: () => logger,
};

/** One key per line, `key=value`; a line without `=` is broken, and without a last line `end` it is unfinished. */
const parse: DocumentParser = (text) => {
  const lines = text.trim().split("\n");
  if (lines.pop() !== "end") {
    throw new GatewayError("CONFIG_UNREADABLE", "no end", { details: { isUnfinished: true } });
  }
  return new Map(
    lines.map((line, index) => {
      const [key, value] = line.split("=");
      if (key === undefined || value === undefined) throw new GatewayError("CONFIG_UNREADABLE", `line ${index + 1}`);
      return [key, value];
    }),
  );
};

beforeEach(async () => {
  directory = await tempDirectory();
  path = directory.file("a.conf");
  logged.length = 0;
});

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await directory[Symbol.asyncDispose]();
});

async function open(options: Partial<DocumentFileOptions> = {}): Promise<ConfigStore> {
  const store = await openDocumentFile({ path, parse, clock: systemClock, logger, ...options });
  opened.push(store);
  return store;
}

const held = async (store: ConfigStore, key: string) => (await store.get(key))?.value;
const becomes = (store: ConfigStore, value: string | undefined) =>
  eventually(async () => expect(await held(store, "/a")).toBe(value));
const errors = () => logged.filter(({ level }) => level === "error");

describe("a store on a file", () => {
  it("has what the file says, and follows it when it is written over", async () => {
    await writeFile(path, "/a=1\nend");
    const store = await open();
    expect(await held(store, "/a")).toBe("1");
    await writeFile(path, "/a=2\nend");
    await becomes(store, "2");
  });

  it("follows a rename over the file, twice", async () => {
    await writeFile(path, "/a=1\nend");
    const store = await open();
    for (const value of ["2", "3"]) {
      await writeFile(directory.file("next"), `/a=${value}\nend`);
      await rename(directory.file("next"), path);
      await becomes(store, value);
    }
  });

  it("follows a mounted volume, whose links are swapped beside the file", async () => {
    for (const version of ["1", "2"]) {
      await mkdir(directory.file(`..${version}`));
      await writeFile(directory.file(`..${version}/a.conf`), `/a=${version}\nend`);
    }
    await symlink("..1", directory.file("..data"));
    await symlink("..data/a.conf", path);
    const store = await open();
    expect(await held(store, "/a")).toBe("1");
    await symlink("..2", directory.file("..next"));
    await rename(directory.file("..next"), directory.file("..data"));
    await becomes(store, "2");
  });

  it("looks by itself where the system gives no notice", async () => {
    // The directory does not exist at the start, so that there is nothing to be told by.
    path = directory.file("later/a.conf");
    const clock = new FakeClock();
    const store = await open({ clock });
    await mkdir(directory.file("later"));
    await writeFile(path, "/a=1\nend");
    const value = held(store, "/a");
    await clock.untilSleeping();
    await eventually(async () => {
      await clock.advance(1_000);
      return logged.some(({ message }) => message === "configuration file read");
    });
    expect(await value).toBe("1");
  });

  it("keeps what is in use while the file is broken, and says why, once", async () => {
    await writeFile(path, "/a=1\nend");
    const store = await open();
    await writeFile(path, "/a=2\nbroken\nend");
    await eventually(() => errors().length > 0);
    expect(await held(store, "/a")).toBe("1");
    await writeFile(path, "/a=3\nend");
    await becomes(store, "3");
    expect(errors()).toMatchObject([{ fields: { file: path, reason: "line 2" } }]);
  });

  it("keeps what is in use while the file is away", async () => {
    await writeFile(path, "/a=1\nend");
    const store = await open();
    await rm(path);
    await eventually(() => errors().length > 0);
    expect(await held(store, "/a")).toBe("1");
    await writeFile(path, "/a=2\nend");
    await becomes(store, "2");
  });

  it("refuses to start from a broken file", async () => {
    await writeFile(path, "broken\nend");
    await expectCode(open(), "CONFIG_UNREADABLE");
  });

  it.each([
    { what: "a file that is not there yet", first: undefined },
    { what: "a file without its end", first: "/a=1\n" },
  ])("waits for $what", async ({ first }) => {
    if (first !== undefined) await writeFile(path, first);
    const store = await open();
    const value = held(store, "/a");
    await writeFile(path, "/a=2\nend");
    expect(await value).toBe("2");
  });

  it("reads no more once it is closed", async () => {
    await writeFile(path, "/a=1\nend");
    const store = await open();
    await store.close();
    await expectCode(store.get("/a"), "STORE_CLOSED");
  });
});
