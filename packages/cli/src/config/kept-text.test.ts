import { readdir, readFile, writeFile } from "node:fs/promises";
import { tempDirectory } from "@fngate/test-kit";
import { expect, it } from "vitest";
import { keptText } from "./kept-text.ts";

it("keeps what the first of several makes", async () => {
  await using directory = await tempDirectory();
  const file = directory.file("text");
  let made = 0;
  const make = () => {
    made += 1;
    return `text ${made}`;
  };
  const texts = await Promise.all(Array.from({ length: 20 }, () => keptText(file, make)));
  const kept = (await readFile(file, "utf8")).trim();
  expect(new Set(texts)).toEqual(new Set([kept]));
  expect(await keptText(file, () => "another")).toBe(kept);
  expect(await readdir(directory.path)).toEqual(["text"]);
});

it("fills a file that was emptied", async () => {
  await using directory = await tempDirectory();
  const file = directory.file("text");
  await writeFile(file, "\n");
  expect(await keptText(file, () => "made")).toBe("made");
  expect(await readFile(file, "utf8")).toBe("made\n");
  expect(await readdir(directory.path)).toEqual(["text"]);
});
