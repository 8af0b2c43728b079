import { describe, expect, it } from "vitest";
import type { Clock } from "./clock.ts";
import { GatewayError } from "./errors.ts";
import { Lifecycle, type LifecycleStage } from "./lifecycle.ts";

/** A clock that stands still until told; sleepers wake when their time has come. */
class FakeClock implements Clock {
  #nowMs = 0;
  readonly #sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { atMs: this.#nowMs + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });
  }

  async advance(ms: number): Promise<void> {
    this.#nowMs += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.atMs > this.#nowMs) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    await settle();
  }
}

/** Lets every promise that can go on do so. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** A stage that writes down what happens to it; `overrides` replace its steps. */
function recordingStage(name: string, journal: string[], overrides: Partial<LifecycleStage> = {}): LifecycleStage {
  return {
    name,
    start: async (signal) => {
      journal.push(`start ${name}`);
      await overrides.start?.(signal);
    },
    stop: async (options) => {
      journal.push(`stop ${name} ${options.deadlineMs}`);
      await overrides.stop?.(options);
    },
  };
}

function pending(): Promise<void> {
  return new Promise(() => undefined);
}

describe("Lifecycle", () => {
  it("starts stages in order and stops them in reverse", async () => {
    const journal: string[] = [];
    const stages = ["store", "admin", "proxy"].map((name) => recordingStage(name, journal));
    const lifecycle = new Lifecycle({ stages, clock: new FakeClock() });

    expect(await lifecycle.start()).toBe("started");
    expect(await lifecycle.stop({ deadlineMs: 500 })).toEqual({ timedOut: [], failed: [] });
    expect(journal).toEqual([
      "start store",
      "start admin",
      "start proxy",
      "stop proxy 500",
      "stop admin 500",
      "stop store 500",
    ]);
  });

  it("stops what had started, in reverse, when a stage fails to start, and names that stage", async () => {
    const journal: string[] = [];
    const cause = new Error("port taken");
    const stages = [
      recordingStage("store", journal),
      recordingStage("admin", journal),
      recordingStage("proxy", journal, { start: () => Promise.reject(cause) }),
      recordingStage("never", journal),
    ];
    const lifecycle = new Lifecycle({ stages, clock: new FakeClock() });

    await expect(lifecycle.start()).rejects.toMatchObject({
      code: "LIFECYCLE_START_FAILED",
      message: "proxy failed to start: port taken",
      details: { stage: "proxy" },
      cause,
    });
    expect(journal).toEqual(["start store", "start admin", "start proxy", "stop admin 1000", "stop store 1000"]);
  });

  it("stops nothing twice when stop follows a failed start", async () => {
    const journal: string[] = [];
    const stages = [
      recordingStage("store", journal),
      recordingStage("proxy", journal, { start: () => Promise.reject(new Error("no")) }),
    ];
    const lifecycle = new Lifecycle({ stages, clock: new FakeClock() });
    await expect(lifecycle.start()).rejects.toMatchObject({ code: "LIFECYCLE_START_FAILED" });

    await lifecycle.stop({ deadlineMs: 10 });

    expect(journal.filter((line) => line.startsWith("stop store"))).toHaveLength(1);
  });

  it("gives later stages what is left of the deadline and reports the stage that used it up", async () => {
    const clock = new FakeClock();
    const journal: string[] = [];
    const stages = [
      recordingStage("store", journal),
      recordingStage("proxy", journal, { stop: ({ deadlineMs }) => clock.sleep(deadlineMs) }),
    ];
    const lifecycle = new Lifecycle({ stages, clock });
    await lifecycle.start();

    const stopped = lifecycle.stop({ deadlineMs: 300 });
    await settle();
    await clock.advance(300);

    expect(await stopped).toEqual({ timedOut: ["proxy"], failed: [] });
    expect(journal.slice(2)).toEqual(["stop proxy 300", "stop store 0"]);
  });

  it("gives up a stage that never stops and still stops the others", async () => {
    const clock = new FakeClock();
    const journal: string[] = [];
    const stages = [recordingStage("store", journal), recordingStage("proxy", journal, { stop: pending })];
    const lifecycle = new Lifecycle({ stages, clock });
    await lifecycle.start();

    const stopped = lifecycle.stop({ deadlineMs: 300 });
    await settle();
    await clock.advance(1_300);

    expect(await stopped).toEqual({ timedOut: ["proxy"], failed: [] });
    expect(journal.at(-1)).toBe("stop store 0");
  });

  it("goes on stopping after a stage that fails to stop", async () => {
    const journal: string[] = [];
    const stages = [
      recordingStage("store", journal),
      recordingStage("proxy", journal, { stop: () => Promise.reject(new Error("no")) }),
    ];
    const lifecycle = new Lifecycle({ stages, clock: new FakeClock() });
    await lifecycle.start();

    expect(await lifecycle.stop({ deadlineMs: 50 })).toEqual({ timedOut: [], failed: ["proxy"] });
    expect(journal.at(-1)).toBe("stop store 50");
  });

  it("counts a stage that reports a drain timeout as timed out and not as failed", async () => {
    const stop = () => Promise.reject(new GatewayError("LIFECYCLE_DRAIN_TIMEOUT", "cut 2 sockets"));
    const lifecycle = new Lifecycle({ stages: [recordingStage("proxy", [], { stop })], clock: new FakeClock() });
    await lifecycle.start();

    expect(await lifecycle.stop({ deadlineMs: 50 })).toEqual({ timedOut: ["proxy"], failed: [] });
  });

  it("aborts the stage that is starting when stop comes first, and starts no further one", async () => {
    const journal: string[] = [];
    const untilAborted = (signal: AbortSignal): Promise<void> =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const stages = [
      recordingStage("store", journal),
      recordingStage("proxy", journal, { start: untilAborted }),
      recordingStage("never", journal),
    ];
    const lifecycle = new Lifecycle({ stages, clock: new FakeClock() });
    const started = lifecycle.start();
    await settle();

    expect(await lifecycle.stop({ deadlineMs: 10 })).toEqual({ timedOut: [], failed: [] });
    expect(await started).toBe("stopped");
    expect(journal).toEqual(["start store", "start proxy", "stop store 10"]);
  });

  it("also stops the stage whose start ends well after the stop was asked for", async () => {
    const journal: string[] = [];
    let finish: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const lifecycle = new Lifecycle({
      stages: [recordingStage("proxy", journal, { start: () => slow }), recordingStage("never", journal)],
      clock: new FakeClock(),
    });
    const started = lifecycle.start();
    const stopped = lifecycle.stop({ deadlineMs: 10 });
    finish();

    expect(await started).toBe("stopped");
    expect(await stopped).toEqual({ timedOut: [], failed: [] });
    expect(journal).toEqual(["start proxy", "stop proxy 10"]);
  });

  it("does not wait beyond the deadline for a start that ignores the abort", async () => {
    const clock = new FakeClock();
    const lifecycle = new Lifecycle({ stages: [recordingStage("proxy", [], { start: pending })], clock });
    void lifecycle.start();
    await settle();

    const stopped = lifecycle.stop({ deadlineMs: 20 });
    await settle();
    await clock.advance(20);

    expect(await stopped).toEqual({ timedOut: ["start"], failed: [] });
  });

  it("shares one start and one stop among all callers", async () => {
    const journal: string[] = [];
    const lifecycle = new Lifecycle({ stages: [recordingStage("proxy", journal)], clock: new FakeClock() });

    await Promise.all([lifecycle.start(), lifecycle.start()]);
    await Promise.all([lifecycle.stop({ deadlineMs: 5 }), lifecycle.stop({ deadlineMs: 9 })]);

    expect(journal).toEqual(["start proxy", "stop proxy 5"]);
  });
});
