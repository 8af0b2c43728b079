import { EventEmitter } from "node:events";
import { FakeClock } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { StopSignals } from "./stop-signals.ts";

function listen(isAtTerminal = false) {
  const source = new EventEmitter();
  const clock = new FakeClock();
  let forced = 0;
  const signals = new StopSignals({ source, clock, isAtTerminal, onForce: () => (forced += 1) });
  return { source, clock, signals, forced: () => forced };
}

describe("StopSignals", () => {
  it.each(["SIGINT", "SIGTERM", "SIGQUIT"])("asks to stop on %s", async (signal) => {
    const { source, signals } = listen();
    source.emit(signal, signal);
    expect(await signals.stopRequested).toBe(signal);
  });

  it("takes a hang-up for the end of a terminal, where there is one", async () => {
    const { source, signals } = listen(true);
    source.emit("SIGHUP", "SIGHUP");
    expect(await signals.stopRequested).toBe("SIGHUP");
    expect(listen().source.listenerCount("SIGHUP")).toBe(0);
  });

  it("takes repeats within half a second for the same key press", async () => {
    const { source, clock, forced } = listen();
    source.emit("SIGINT", "SIGINT");
    source.emit("SIGINT", "SIGINT");
    await clock.advance(499);
    source.emit("SIGTERM", "SIGTERM");
    expect(forced()).toBe(0);
  });

  it("forces on a second signal after that", async () => {
    const { source, clock, forced } = listen();
    source.emit("SIGTERM", "SIGTERM");
    await clock.advance(500);
    source.emit("SIGINT", "SIGINT");
    expect(forced()).toBe(1);
  });

  it("waits for the repeats of Ctrl-C, and for nothing else", async () => {
    const interrupted = listen();
    interrupted.source.emit("SIGINT", "SIGINT");
    const ended = interrupted.signals.keyPressEnded();
    await interrupted.clock.advance(499);
    expect(interrupted.clock.sleeping).toBe(1);
    await interrupted.clock.advance(1);
    await ended;

    const terminated = listen();
    terminated.source.emit("SIGTERM", "SIGTERM");
    await terminated.signals.keyPressEnded();
    expect(terminated.clock.sleeping).toBe(0);
  });

  it("leaves signals alone once disposed of", () => {
    const { source, signals } = listen();
    signals[Symbol.dispose]();
    expect(source.eventNames()).toEqual([]);
  });
});
