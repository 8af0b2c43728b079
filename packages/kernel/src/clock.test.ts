import { describe, expect, it } from "vitest";
import { systemClock } from "./clock.ts";
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
});

describe("silentLogger", () => {
  it("takes every call, of its children too, and returns nothing", () => {
    const child = silentLogger.child({ part: "x" });
    const results = (["debug", "info", "warn", "error"] as const).map((level) => child[level]({}, "ignored"));

    expect(results).toEqual([undefined, undefined, undefined, undefined]);
  });
});
