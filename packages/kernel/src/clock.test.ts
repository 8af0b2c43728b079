import { describe, expect, it } from "vitest";
import { inPieces, systemClock, timerDelay } from "./clock.ts";
import { silentLogger } from "./logger.ts";

describe("systemClock", () => {
  it("tells wall-clock milliseconds and a monotonic reading", () => {
    const before = Date.now();
    const now = systemClock.now();
    const [first, second] = [systemClock.monotonicMs(), systemClock.monotonicMs()];

    expect(now).toBeGreaterThanOrEqual(before);
    expect(second).toBeGreaterThanOrEqual(first);
  });

  it("rejects a sleep with the reason of its signal", async () => {
    const controller = new AbortController();
    const slept = systemClock.sleep(60_000, controller.signal);
    controller.abort(new Error("enough"));

    await expect(slept).rejects.toMatchObject({ name: "AbortError", cause: { message: "enough" } });
  });

  it("ends a sleep by itself", async () => {
    await expect(systemClock.sleep(0)).resolves.toBeUndefined();
  });

  it("sleeps for longer than a timer can wait", async () => {
    const controller = new AbortController();
    const long = systemClock.sleep(2 ** 31, controller.signal).then(() => "long");
    const short = systemClock.sleep(10).then(() => "short");
    expect(await Promise.race([long, short])).toBe("short");
    controller.abort();
    await expect(long).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("inPieces", () => {
  it.each([
    { ms: 0, pieces: [0] },
    { ms: 2 ** 31 - 1, pieces: [2 ** 31 - 1] },
    { ms: 2 ** 32, pieces: [2 ** 31 - 1, 2 ** 31 - 1, 2] },
  ])("waits $ms milliseconds in waits that a timer can have", async ({ ms, pieces }) => {
    const waited: number[] = [];
    await inPieces(ms, async (pieceMs) => void waited.push(pieceMs));
    expect(waited).toEqual(pieces);
  });
});

describe("timerDelay", () => {
  it("is never more than a timer can wait", () => {
    expect([0, 1.5, 2 ** 31 - 1, 2 ** 31, Number.MAX_VALUE].map(timerDelay)).toEqual([
      ...[0, 1.5],
      ...[2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1],
    ]);
  });
});

describe("silentLogger", () => {
  it("takes every call, of its children too, and returns nothing", () => {
    const child = silentLogger.child({ part: "x" });
    const results = (["debug", "info", "warn", "error"] as const).map((level) => child[level]({}, "ignored"));

    expect(results).toEqual([undefined, undefined, undefined, undefined]);
  });
});
