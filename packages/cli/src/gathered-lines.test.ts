import { setImmediate as nextEvent } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
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
});

describe("lines that follow closely", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("wait for one another, but never longer than the pause", () => {
    const pieces: string[] = [];
    const lines = gatherLines((piece) => pieces.push(piece.toString()));
    lines.write("one\n");
    vi.advanceTimersByTime(1);
    expect(pieces).toEqual(["one\n"]);
    lines.write("two\n");
    vi.advanceTimersByTime(5);
    lines.write("three\n");
    expect(pieces).toEqual(["one\n"]);
    vi.advanceTimersByTime(5);
    expect(pieces).toEqual(["one\n", "two\nthree\n"]);
    vi.advanceTimersByTime(20);
    lines.write("four\n");
    vi.advanceTimersByTime(1);
    expect(pieces).toEqual(["one\n", "two\nthree\n", "four\n"]);
  });

  it("are written when the process ends meanwhile", () => {
    const pieces: string[] = [];
    const lines = gatherLines((piece) => pieces.push(piece.toString()));
    lines.write("one\n");
    vi.advanceTimersByTime(1);
    lines.write("last words\n");
    process.listeners("exit").at(-1)?.(0);
    expect(pieces).toEqual(["one\n", "last words\n"]);
  });
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
