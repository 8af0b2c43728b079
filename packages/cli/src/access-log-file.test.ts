import { mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { tempDirectory } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { openAccessLogFile, wholeLines } from "./access-log-file.ts";

describe("openAccessLogFile", () => {
  it("makes the directory, appends, and has written everything once it is closed", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "logs", "access.log");

    for (const line of ["first\n", "second\n"]) {
      const file = await openAccessLogFile(path);
      file.write(line);
      await file.close();
    }

    expect(await readFile(path, "utf8")).toBe("first\nsecond\n");
  });

  it("keeps the order of more lines than the buffer holds", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "access.log");
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`);

    const file = await openAccessLogFile(path);
    for (const line of lines) file.write(line);
    await file.close();

    expect(await readFile(path, "utf8")).toBe(lines.join(""));
  });

  it("has every line in the old or the new file when it is opened again after a move", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "access.log");
    const file = await openAccessLogFile(path);
    file.write("before\n");
    await rename(path, `${path}.1`);
    const reopened = file.reopen();
    file.write("meanwhile\n");
    await reopened;
    file.write("after\n");
    // What was written before is there by then, so that the moved file can be packed.
    expect(await readFile(`${path}.1`, "utf8")).toBe("before\nmeanwhile\n");
    await file.close();
    expect(await readFile(path, "utf8")).toBe("after\n");
    await file.reopen();
  });

  it("stays with the old file when there is no other, and opens it the next time", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "access.log");
    const file = await openAccessLogFile(path);
    await rename(path, `${path}.1`);
    await mkdir(path);
    await expect(file.reopen()).rejects.toThrow(/EISDIR/);
    file.write("first\n");
    await rename(path, `${path}.folder`);
    await file.reopen();
    file.write("second\n");
    await file.close();
    expect(await readFile(`${path}.1`, "utf8")).toBe("first\n");
    expect(await readFile(path, "utf8")).toBe("second\n");
  });

  it("rejects when the file cannot be opened", async () => {
    await using directory = await tempDirectory();
    const exitListeners = process.listenerCount("exit");
    await expect(openAccessLogFile(directory.path)).rejects.toThrow(/EISDIR/);
    // A stream that never opened would be flushed when the process ends, and throw.
    expect(process.listenerCount("exit")).toBe(exitListeners);
  });
});

it.each([
  ["a\nbb\nccc\n", 4, ["a\n", "bb\n", "ccc\n"]],
  ["a\nbb\nccc\n", 5, ["a\nbb\n", "ccc\n"]],
  ["aaaaaa\nb\n", 3, ["aaaaaa\n", "b\n"]],
  ["\u00e9\u00e9\na\n", 5, ["\u00e9\u00e9\n", "a\n"]],
  ["no end", 3, ["no end"]],
  ["", 3, []],
])("goes to a shared stream in pieces of whole lines: %j", (text, maxBytes, pieces) => {
  expect(wholeLines(text, maxBytes).map(String)).toEqual(pieces);
});
