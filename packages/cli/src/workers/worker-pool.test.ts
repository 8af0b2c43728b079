import { silentLogger } from "@fngate/kernel";
import { eventually, FakeClock } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import type { Settings } from "../config/settings.ts";
import type { BoundListener } from "../listening.ts";
import type { FromWorker, ToWorker, WorkerEnd, WorkerProcess } from "./messages.ts";
import { WorkerPool } from "./worker-pool.ts";

/** A worker's process in the hands of a test. */
class FakeProcess implements WorkerProcess {
  readonly pid: number;
  readonly received: ToWorker[] = [];
  #onMessage: (message: FromWorker) => void = () => undefined;
  #onEnd: (end: WorkerEnd) => void = () => undefined;

  constructor(pid: number) {
    this.pid = pid;
  }

  send(message: ToWorker): void {
    this.received.push(message);
    if (message.type === "stop") this.end({ code: 0, signal: null });
    if (message.type !== "ask") return;
    const body = message.question.about === "metrics" ? `# TYPE x counter\nx ${this.pid}\n` : `from ${this.pid}`;
    this.say({ type: "answer", id: message.id, answer: { status: 200, contentType: "text/plain", body } });
  }

  onMessage(listener: (message: FromWorker) => void): void {
    this.#onMessage = listener;
    queueMicrotask(() => this.say({ type: "hello" }));
  }

  onEnd(listener: (end: WorkerEnd) => void): void {
    this.#onEnd = listener;
  }

  kill(): void {
    this.end({ code: null, signal: "SIGKILL" });
  }

  say(message: FromWorker): void {
    this.#onMessage(message);
  }

  end(end: WorkerEnd): void {
    this.#onEnd(end);
  }

  serve(): void {
    this.say({ type: "listening", bound: PROXY });
    this.say({ type: "started" });
    this.say({ type: "ready" });
  }
}

const PROXY: BoundListener = { listener: "proxy", host: "127.0.0.1", port: 1 };

/** Only handed on; nothing here reads it. */
const SETTINGS = {} as Settings;

function createPool(count: number) {
  const processes: FakeProcess[] = [];
  const bound: BoundListener[] = [];
  const clock = new FakeClock();
  const pool = new WorkerPool({
    count,
    fork: () => {
      const process = new FakeProcess(processes.length + 1);
      processes.push(process);
      return process;
    },
    settingsOf: () => SETTINGS,
    logger: silentLogger,
    clock,
    onListening: (one) => bound.push(one),
  });
  return { pool, processes, bound, clock };
}

async function startPool(count: number) {
  const parts = createPool(count);
  const starting = parts.pool.start();
  for (const process of parts.processes) process.serve();
  await starting;
  return parts;
}

describe("a pool of workers", () => {
  it("is started when all are, and tells of a shared listener once", async () => {
    const { pool, processes, bound } = createPool(2);
    const starting = pool.start();
    processes[0]?.serve();
    expect(pool.notReady).toBe("worker id: 1 has not received configuration");
    processes[1]?.serve();
    await starting;
    expect(pool.notReady).toBeUndefined();
    expect(bound).toEqual([PROXY]);
    expect(processes[1]?.received).toEqual([{ type: "start", index: 1, settings: SETTINGS }]);
  });

  it("ends all when one cannot start, with the system's error for a taken port", async () => {
    const { pool, processes } = createPool(2);
    const starting = pool.start();
    processes[0]?.serve();
    const listen = { code: "EADDRINUSE", address: "127.0.0.1", port: 9080 };
    processes[1]?.say({ type: "failed", failure: { message: "taken", listen } });
    await expect(starting).rejects.toMatchObject({ code: "LISTEN_FAILED", cause: { ...listen, syscall: "listen" } });
    await expect(pool.control(REQUEST)).rejects.toThrow("no worker runs");
  });

  it("starts a worker again after growing delays, and stays ready meanwhile", async () => {
    const { pool, processes, clock } = await startPool(2);
    for (const [life, delayMs] of [100, 200, 400].entries()) {
      processes.at(life === 0 ? 0 : -1)?.end({ code: 1, signal: null });
      await clock.untilSleeping();
      expect(processes).toHaveLength(2 + life);
      await clock.advance(delayMs);
      expect(processes).toHaveLength(3 + life);
      expect(pool.notReady).toBeUndefined();
    }
    processes.at(-1)?.serve();
    await clock.advance(10_000);
    processes.at(-1)?.end({ code: 1, signal: null });
    await clock.untilSleeping();
    await clock.advance(100);
    expect(processes).toHaveLength(6);
  });

  it("puts workers with other settings in the place of those that run, one after the other", async () => {
    const { pool, processes } = await startPool(2);
    const [first, second] = processes;
    const other = { role: "data_plane" } as Settings;
    const reloading = pool.reload(() => other, 1_000);
    expect(processes).toHaveLength(3);
    processes[2]?.say({ type: "started" });
    await Promise.resolve();
    expect(first?.received.some(({ type }) => type === "stop")).toBe(false);
    processes[2]?.serve();
    await eventually(() => expect(processes).toHaveLength(4));
    await eventually(() => expect(first?.received.at(-1)).toEqual({ type: "stop", deadlineMs: 1_000 }));
    expect(second?.received.some(({ type }) => type === "stop")).toBe(false);
    processes[3]?.serve();
    await reloading;
    await eventually(() => expect(second?.received.at(-1)?.type).toBe("stop"));
    expect(processes.slice(2).map(({ received }) => received[0])).toEqual([
      { type: "start", index: 0, settings: other },
      { type: "start", index: 1, settings: other },
    ]);
    // 1 and 2 have left and are not forgotten: 1 + 2 + 3 + 4.
    await eventually(async () => expect((await pool.renderMetrics()).body).toContain("x 10\n"));
    expect(processes).toHaveLength(4);
    await pool.stop({ deadlineMs: 0 });
  });

  it("goes on as it was when a worker cannot serve by other settings", async () => {
    const { pool, processes, clock } = await startPool(2);
    const reloading = pool.reload(() => ({ role: "data_plane" }) as Settings, 1_000);
    processes[2]?.say({ type: "failed", failure: { message: "no good", listen: undefined } });
    await expect(reloading).rejects.toThrow("no good");
    expect(processes.slice(0, 2).flatMap(({ received }) => received.map(({ type }) => type))).toEqual([
      "start",
      "start",
    ]);
    processes[0]?.end({ code: 1, signal: null });
    await clock.untilSleeping();
    await clock.advance(100);
    await eventually(() => expect(processes[3]?.received).toEqual([{ type: "start", index: 0, settings: SETTINGS }]));
  });

  it("gives up a worker that does not get ready in time", async () => {
    const { pool, processes, clock } = await startPool(1);
    const reloading = expect(pool.reload(() => SETTINGS, 1_000)).rejects.toThrow("did not get ready in time");
    await clock.untilSleeping();
    await clock.advance(60_000);
    await reloading;
    expect(processes).toHaveLength(2);
    expect(pool.notReady).toBeUndefined();
  });

  it("stops a worker that was to take another one's place, too", async () => {
    const { pool, processes } = await startPool(1);
    const reloading = pool.reload(() => SETTINGS, 1_000);
    await eventually(() => expect(processes[1]?.received).toHaveLength(1));
    await pool.stop({ deadlineMs: 1_000 });
    await reloading;
    expect(processes.map(({ received }) => received.at(-1)?.type)).toEqual(["stop", "stop"]);
  });

  it("is not ready when none is left", async () => {
    const { pool, processes } = await startPool(2);
    for (const process of processes) process.end({ code: 1, signal: null });
    expect(pool.notReady).toBe("worker count: 2 but status report count: 0");
  });

  it("adds metrics up, and remembers those of a worker that ended", async () => {
    const { pool, processes } = await startPool(2);
    expect((await pool.renderMetrics()).body).toContain("x 3\n");
    processes[0]?.end({ code: 1, signal: null });
    expect((await pool.renderMetrics()).body).toContain("x 3\n");
  });

  it("gives a worker the metrics of all when it asks for them", async () => {
    const { processes } = await startPool(2);
    const [first] = processes;
    first?.say({ type: "gather", id: 7 });
    const gathered = await eventually(() => {
      const found = first?.received.find((message) => message.type === "gathered");
      return found ?? expect.fail("nothing was gathered");
    });
    expect(gathered).toMatchObject({ id: 7, answer: { status: 200, body: expect.stringContaining("x 3\n") } });
  });

  it("has one worker answer what is read, and all do what is asked to be done", async () => {
    const { pool, processes } = await startPool(2);
    expect((await pool.control(REQUEST))?.body).toBe("from 1");
    expect(processes[1]?.received).toHaveLength(1);
    await pool.control({ ...REQUEST, method: "POST" });
    expect(processes.map(({ received }) => received.filter(({ type }) => type === "ask").length)).toEqual([2, 1]);
  });

  it("does not wait for ever for a worker that does not answer", async () => {
    const { pool, processes, clock } = await startPool(1);
    const [process] = processes;
    if (process !== undefined) process.send = () => undefined;
    const asked = pool.control(REQUEST);
    await clock.untilSleeping();
    const failed = expect(asked).rejects.toThrow("did not answer in time");
    await clock.advance(5_000);
    await failed;
  });

  it("drains every worker, kills what does not end, and says when something was cut", async () => {
    const { pool, processes, clock } = await startPool(2);
    const [stuck] = processes;
    if (stuck !== undefined) stuck.send = (message) => stuck.received.push(message);
    const stopping = pool.stop({ deadlineMs: 1_000 });
    const failed = expect(stopping).rejects.toMatchObject({ code: "LIFECYCLE_DRAIN_TIMEOUT" });
    await clock.untilSleeping();
    await clock.advance(2_000);
    await failed;
    expect(stuck?.received.at(-1)).toEqual({ type: "stop", deadlineMs: 1_000 });
    expect(processes).toHaveLength(2);
  });
});

const REQUEST = { method: "GET", path: "/v1/routes", query: "", rawHeaders: [], body: new Uint8Array() };
