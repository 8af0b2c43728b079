/**
 * Loaded into a measured process with `--import`. Answers on the Unix socket that `FNGATE_PROBE_SOCKET` names how long
 * the event loop was blocked since the last question, and what the process uses; `heap` collects garbage first.
 */

import { createServer } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What a process says of itself. */
export interface ProbeReading {
  /** Longest time a 1 ms timer came late, other processes on the same cores included. */
  readonly longestBlockMs: number;
  /** Most processor time the main thread spent between two ticks of that timer: the same without the others. */
  readonly longestCpuBlockMs: number;
  /** Since the process began, threads included. */
  readonly cpuSeconds: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
}

const INTERVAL_MS = 1;

const since = { longestBlockMs: 0, longestCpuBlockMs: 0 };
let lastMs = performance.now();
let lastCpuMs = threadCpuMs();

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function tick(): void {
  const nowMs = performance.now();
  const cpuMs = threadCpuMs();
  since.longestBlockMs = Math.max(since.longestBlockMs, nowMs - lastMs - INTERVAL_MS);
  since.longestCpuBlockMs = Math.max(since.longestCpuBlockMs, cpuMs - lastCpuMs);
  lastMs = nowMs;
  lastCpuMs = cpuMs;
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
}

function read(): ProbeReading {
  const { user, system } = process.cpuUsage();
  const { heapUsed, rss } = process.memoryUsage();
  const reading = { ...since, cpuSeconds: (user + system) / 1e6, heapBytes: heapUsed, residentBytes: rss };
  Object.assign(since, { longestBlockMs: 0, longestCpuBlockMs: 0 });
  return reading;
}

// biome-ignore lint/style/noProcessEnv: the one way to tell a preloaded module anything
const socketPath = process.env["FNGATE_PROBE_SOCKET"];
if (socketPath !== undefined) {
  setInterval(tick, INTERVAL_MS).unref();
  createServer((socket) => {
    socket.once("data", (question) => {
      const isHeap = question.toString().startsWith("heap");
      if (isHeap) collectGarbage();
      socket.end(JSON.stringify(read()));
      // What collecting cost is no finding.
      if (isHeap) setTimeout(read, 10).unref();
    });
    socket.on("error", () => {});
  })
    .listen(socketPath)
    .unref();
}
