import { EventEmitter } from "node:events";
import { recordingLogger } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { UpkeepSignals } from "./upkeep-signals.ts";

describe("UpkeepSignals", () => {
  it("has logs opened again at SIGUSR1, and leaves a terminal's hang-up to whoever stops", () => {
    const source = new EventEmitter();
    let reopened = 0;
    const reload = (): never => expect.fail("nobody asked for it");
    const owner = {
      reopenLogs: () => {
        reopened += 1;
        return Promise.resolve();
      },
    };
    using _signals = new UpkeepSignals({ source, owner, reload, logger: recordingLogger(), isAtTerminal: true });
    source.emit("SIGUSR1", "SIGUSR1");
    expect(reopened).toBe(1);
    expect(source.eventNames()).toEqual(["SIGUSR1"]);
  });

  it("has the configuration read again at SIGHUP, and leaves signals alone once disposed of", () => {
    const source = new EventEmitter();
    const owner = { reopenLogs: () => Promise.resolve() };
    let reloads = 0;
    const reload = (): void => {
      reloads += 1;
    };
    const signals = new UpkeepSignals({ source, owner, reload, logger: recordingLogger(), isAtTerminal: false });
    expect(source.eventNames()).toEqual(["SIGUSR1", "SIGHUP"]);
    source.emit("SIGHUP", "SIGHUP");
    expect(reloads).toBe(1);
    signals[Symbol.dispose]();
    expect(source.eventNames()).toEqual([]);
  });
});
