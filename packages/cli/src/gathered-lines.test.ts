import { setImmediate as nextEvent } from "node:timers/promises";
import { expect, it } from "vitest";
import { gatherLines } from "./gathered-lines.ts";

it("writes the lines of one event in one piece, when the event is over", async () => {
  const pieces: string[] = [];
  const lines = gatherLines((piece) => pieces.push(piece.toString()));
  lines.write("one\n");
  await Promise.resolve();
  lines.write("two\n");
  expect(pieces).toEqual([]);
  await nextEvent();
  expect(pieces).toEqual(["one\ntwo\n"]);
  lines.write("three\n");
  await nextEvent();
  expect(pieces).toEqual(["one\ntwo\n", "three\n"]);
});

it("writes at once when much has gathered, in pieces of whole lines that a pipe takes undivided", () => {
  const pieces: string[] = [];
  const lines = gatherLines((piece) => pieces.push(piece.toString()));
  const line = `${"x".repeat(999)}\n`;
  for (let count = 0; count < 66; count += 1) lines.write(line);
  expect(pieces.join("")).toBe(line.repeat(66));
  expect(new Set(pieces.map(({ length }) => length))).toEqual(new Set([4_000, 2_000]));
});

it("writes what is left when it is told to, and nothing twice", async () => {
  const pieces: string[] = [];
  const lines = gatherLines((piece) => pieces.push(piece.toString()));
  lines.write("last words\n");
  lines.flush();
  lines.flush();
  await nextEvent();
  expect(pieces).toEqual(["last words\n"]);
});
