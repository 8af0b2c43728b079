import { FakeClock } from "@fngate/test-kit";
import { expect, test } from "vitest";
import type { AttemptFailure, AttemptOutcome } from "../exchange.ts";
import type { CompiledUpstream } from "../upstream/compiled-upstream.ts";
import type { UpstreamConfig } from "../upstream/upstream-config.ts";
import { createUpstreams, type UpstreamHealthReport } from "../upstream/upstreams.ts";
import type { ChecksConfig } from "./check-config.ts";
import type { Observation, Probe, ProbeTarget } from "./probe.ts";

const CONNECTIONS = { acquire: (target: never) => ({ target, release: () => undefined }) };
const NODES = { "127.0.0.1:1": 1, "127.0.0.1:2": 1, "127.0.0.1:3": 1 };
const BOTH: ChecksConfig = {
  active: { healthy: { interval: 2, successes: 2 }, unhealthy: { interval: 1, tcp_failures: 2 } },
};

/** Upstreams under a fake clock whose probes a test answers by port. */
class Bench implements Disposable {
  readonly clock = new FakeClock();
  /** What probes see, by port; absent: status 200. */
  readonly answers = new Map<number, Observation>();
  /** Every probe so far. */
  readonly probed: ProbeTarget[] = [];
  running = 0;
  mostRunning = 0;
  readonly #upstreams;

  constructor(options: { areChecksEnabled?: boolean } = {}) {
    const probe: Probe = async (target) => {
      this.probed.push(target);
      this.running += 1;
      this.mostRunning = Math.max(this.mostRunning, this.running);
      await Promise.resolve();
      this.running -= 1;
      return this.answers.get(target.port) ?? { kind: "status", status: 200 };
    };
    this.#upstreams = createUpstreams({
      connections: CONNECTIONS,
      clock: this.clock,
      probe,
      random: () => 0,
      ...options,
    });
  }

  compile(config: UpstreamConfig, key = "/apisix/upstreams/1"): CompiledUpstream {
    return this.#upstreams.compile({ nodes: NODES, checks: BOTH, ...config }, { key });
  }

  get health(): readonly UpstreamHealthReport[] {
    return this.#upstreams.listHealth();
  }

  /** State of each node of the only upstream, by port. */
  get states(): Record<number, string> {
    return Object.fromEntries(this.health.flatMap(({ nodes }) => nodes.map(({ port, status }) => [port, status])));
  }

  down(...ports: readonly number[]): void {
    this.answers.clear();
    for (const port of ports) this.answers.set(port, { kind: "failed", failure: "tcp" });
  }

  [Symbol.dispose](): void {
    this.#upstreams.close();
  }
}

/** The ports that many requests go to. */
function portsOf(upstream: CompiledUpstream): number[] {
  const ports = Array.from({ length: 30 }, () => upstream.pick(undefined)?.port ?? 0);
  return [...new Set(ports)].sort();
}

/** Ends an attempt on a node. */
function report(upstream: CompiledUpstream, port: number, end: { outcome: AttemptOutcome; isFinal?: boolean }): void {
  const node = upstream.nodes.find((candidate) => candidate.port === port);
  if (node === undefined) throw new Error("no such node");
  upstream.observer?.onStart(node);
  upstream.observer?.onEnd(node, { tookMs: 1, isFinal: true, ...end });
}

function failed(reason: AttemptFailure["reason"]): AttemptOutcome {
  return { kind: "failed", failure: { reason, isUnsent: true, cause: new Error(reason) } };
}

test("nothing is probed or shown before the first request, and the first probe comes one interval later", async () => {
  using bench = new Bench();
  const upstream = bench.compile({});
  await bench.clock.advance(60_000);
  expect(bench.probed).toHaveLength(0);
  expect(bench.health).toEqual([{ name: "/apisix/upstreams/1", type: "http", nodes: [] }]);
  upstream.pick(undefined);
  await bench.clock.advance(1_999);
  expect(bench.probed).toHaveLength(0);
  await bench.clock.advance(1);
  expect(bench.probed.map(({ port }) => port)).toEqual([1, 2, 3]);
  expect(bench.health[0]?.nodes[0]).toEqual({
    ip: "127.0.0.1",
    port: 1,
    hostname: "127.0.0.1",
    status: "healthy",
    counter: { success: 0, http_failure: 0, tcp_failure: 0, timeout_failure: 0 },
  });
});

test("a node that fails its probes gets no traffic until it has passed them again", async () => {
  using bench = new Bench();
  const upstream = bench.compile({});
  bench.down(2);
  expect(portsOf(upstream)).toEqual([1, 2, 3]);
  await bench.clock.advance(2_000);
  expect(bench.states).toMatchObject({ 2: "mostly_healthy" });
  expect(portsOf(upstream)).toEqual([1, 2, 3]);
  await bench.clock.advance(2_000);
  expect(bench.states).toMatchObject({ 2: "unhealthy" });
  expect(portsOf(upstream)).toEqual([1, 3]);
  bench.down();
  await bench.clock.advance(1_000);
  expect(bench.states).toMatchObject({ 2: "mostly_unhealthy" });
  expect(portsOf(upstream)).toEqual([1, 3]);
  await bench.clock.advance(1_000);
  expect(bench.states).toMatchObject({ 2: "healthy" });
  expect(portsOf(upstream)).toEqual([1, 2, 3]);
});

test("a version that is retired is probed no longer while its requests run, and one that follows takes its health over", async () => {
  using bench = new Bench();
  const first = bench.compile({});
  bench.down(2);
  first.pick(undefined);
  await bench.clock.advance(4_000);
  expect(bench.states).toMatchObject({ 2: "unhealthy" });
  const before = bench.probed.length;
  first.retire();
  first.retire();
  expect(bench.health).toEqual([]);
  await bench.clock.advance(10_000);
  expect(bench.probed).toHaveLength(before);
  expect(portsOf(first)).toEqual([1, 3]);
  report(first, 1, { outcome: failed("refused"), isFinal: false });

  const second = bench.compile({});
  expect(bench.states).toMatchObject({ 2: "unhealthy" });
  first.dispose();
  await bench.clock.advance(2_000);
  expect(bench.probed.length).toBeGreaterThan(before);
  second.dispose();
});

test("nodes of weight 0 are used, evenly, while all nodes with weight are down", async () => {
  using bench = new Bench();
  const nodes = { "127.0.0.1:1": 1, "127.0.0.1:2": 0, "127.0.0.1:3": 0 };
  const upstream = bench.compile({ nodes });
  expect(portsOf(upstream)).toEqual([1]);
  bench.down(1);
  await bench.clock.advance(4_000);
  expect(portsOf(upstream)).toEqual([2, 3]);
  bench.down(1, 2);
  await bench.clock.advance(4_000);
  expect(portsOf(upstream)).toEqual([3]);
  const [, , third] = upstream.nodes;
  expect(upstream.pick(new Set(third === undefined ? [] : [third]))).toBeUndefined();
  bench.down(2);
  await bench.clock.advance(4_000);
  expect(portsOf(upstream)).toEqual([1]);
  // That a node was tried does not bring those without weight in.
  const [first] = upstream.nodes;
  expect(upstream.pick(new Set(first === undefined ? [] : [first]))).toBeUndefined();
});

test("when every node is down all are used", async () => {
  using bench = new Bench();
  const upstream = bench.compile({});
  bench.down(1, 2, 3);
  upstream.pick(undefined);
  await bench.clock.advance(4_000);
  expect(bench.states).toEqual({ 1: "unhealthy", 2: "unhealthy", 3: "unhealthy" });
  expect(portsOf(upstream)).toEqual([1, 2, 3]);
});

test("a backup is used when the nodes above it are down", async () => {
  using bench = new Bench();
  const at = (port: number, priority: number) => ({ host: "127.0.0.1", port, weight: 1, priority });
  const upstream = bench.compile({ nodes: [at(1, 0), at(2, 0), at(3, -1)] });
  bench.down(1, 2);
  expect(portsOf(upstream)).toEqual([1, 2]);
  await bench.clock.advance(4_000);
  expect(portsOf(upstream)).toEqual([3]);
});

test("a lone node is used although it is down", async () => {
  using bench = new Bench();
  const upstream = bench.compile({ nodes: { "127.0.0.1:1": 1 } });
  bench.down(1);
  upstream.pick(undefined);
  await bench.clock.advance(4_000);
  expect(bench.states).toEqual({ 1: "unhealthy" });
  expect(upstream.pick(undefined)?.port).toBe(1);
});

test("chash walks past a node that is down and keeps the other keys where they are", async () => {
  using bench = new Bench();
  const upstream = bench.compile({ type: "chash", key: "uri" });
  const keys = Array.from({ length: 100 }, (_, index) => () => `key ${index}`);
  const before = keys.map((key) => upstream.pick(undefined, key)?.port);
  bench.down(2);
  await bench.clock.advance(4_000);
  const after = keys.map((key) => upstream.pick(undefined, key)?.port);
  expect(after).not.toContain(2);
  for (const [index, port] of before.entries()) if (port !== 2) expect(after[index]).toBe(port);
});

test("a change of nodes keeps the state of those that stay, and two versions share it", async () => {
  using bench = new Bench();
  const old = bench.compile({});
  bench.down(2);
  old.pick(undefined);
  await bench.clock.advance(4_000);
  const next = bench.compile({ nodes: { ...NODES, "127.0.0.1:4": 1 } });
  expect(portsOf(next)).toEqual([1, 3, 4]);
  expect(portsOf(old)).toEqual([1, 3]);
  old.dispose();
  expect(portsOf(next)).toEqual([1, 3, 4]);
  expect(bench.states).toEqual({ 1: "healthy", 2: "unhealthy", 3: "healthy", 4: "healthy" });
});

test("a change of checks keeps the nodes' state and probes by the new ones", async () => {
  using bench = new Bench();
  const old = bench.compile({});
  bench.down(2);
  old.pick(undefined);
  await bench.clock.advance(4_000);
  const next = bench.compile({ checks: { active: { type: "tcp", unhealthy: { interval: 10 } } } });
  old.dispose();
  expect(bench.health[0]?.type).toBe("tcp");
  expect(portsOf(next)).toEqual([1, 3]);
  bench.probed.length = 0;
  await bench.clock.advance(9_999);
  expect(bench.probed).toHaveLength(0);
  await bench.clock.advance(1);
  expect(bench.probed.map(({ port }) => port)).toEqual([2]);
});

test("a version that is withdrawn again leaves the one before it in force", async () => {
  using bench = new Bench();
  const kept = bench.compile({});
  kept.pick(undefined);
  bench.compile({ nodes: { "127.0.0.1:9": 1 } }).dispose();
  expect(Object.keys(bench.states)).toEqual(["1", "2", "3"]);
});

test("an upstream that is gone is neither probed nor shown", async () => {
  using bench = new Bench();
  const upstream = bench.compile({});
  upstream.pick(undefined);
  upstream.dispose();
  await bench.clock.advance(10_000);
  expect(bench.probed).toHaveLength(0);
  expect(bench.health).toEqual([]);
});

test("without a healthy or unhealthy object nothing is probed", async () => {
  using bench = new Bench();
  bench.compile({ checks: { active: { http_path: "/x" } } }).pick(undefined);
  await bench.clock.advance(60_000);
  expect(bench.probed).toHaveLength(0);
});

test("no more probes run at a time than concurrency says", async () => {
  using bench = new Bench();
  const nodes = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`127.0.0.1:${index + 1}`, 1]));
  bench.compile({ nodes, checks: { active: { concurrency: 4, healthy: {} } } }).pick(undefined);
  await bench.clock.advance(1_000);
  expect(bench.probed).toHaveLength(9);
  expect(bench.mostRunning).toBe(4);
});

test.each([
  { name: "the address", config: {}, hostHeader: "127.0.0.1", hostname: "127.0.0.1" },
  { name: "the checks' host", config: { host: "h.test" }, hostHeader: "h.test", hostname: "h.test" },
  {
    name: "upstream_host under rewrite",
    config: { host: "h.test" },
    upstream: { pass_host: "rewrite" as const, upstream_host: "up.test" },
    hostHeader: "up.test",
    hostname: "h.test",
  },
])("a probe calls its node by $name", async ({ config, upstream = {}, hostHeader, hostname }) => {
  using bench = new Bench();
  const checks = { active: { ...config, port: 99, healthy: {} } };
  bench.compile({ nodes: { "127.0.0.1:1": 1 }, checks, ...upstream }).pick(undefined);
  await bench.clock.advance(1_000);
  expect(bench.probed).toEqual([expect.objectContaining({ ip: "127.0.0.1", port: 99, hostHeader })]);
  expect(bench.health[0]?.nodes[0]).toMatchObject({ port: 99, hostname });
});

test.each([
  { seen: { kind: "status", status: 302 }, counter: {} },
  { seen: { kind: "status", status: 404 }, counter: { http_failure: 1 } },
  { seen: { kind: "status", status: 403 }, counter: {} },
  { seen: { kind: "failed", failure: "http" }, counter: { http_failure: 1 } },
  { seen: { kind: "failed", failure: "timeout" }, counter: { timeout_failure: 1 } },
] as const)("a probe that sees $seen counts as $counter", async ({ seen, counter }) => {
  using bench = new Bench();
  bench.answers.set(1, seen);
  bench.compile({ nodes: { "127.0.0.1:1": 1 }, checks: { active: { healthy: {} } } }).pick(undefined);
  await bench.clock.advance(1_000);
  const none = { success: 0, http_failure: 0, tcp_failure: 0, timeout_failure: 0 };
  expect(bench.health[0]?.nodes[0]?.counter).toEqual({ ...none, ...counter });
});

test("passive checks go by the final status of requests", () => {
  using bench = new Bench();
  const checks = { active: {}, passive: { healthy: { successes: 2 }, unhealthy: { http_failures: 2 } } };
  const upstream = bench.compile({ checks });
  upstream.pick(undefined);
  for (const status of [500, 404, 503]) report(upstream, 2, { outcome: { kind: "responded", status } });
  expect(bench.states).toMatchObject({ 2: "unhealthy" });
  expect(portsOf(upstream)).toEqual([1, 3]);
  for (const status of [200, 302]) report(upstream, 2, { outcome: { kind: "responded", status } });
  expect(portsOf(upstream)).toEqual([1, 2, 3]);
});

test("without passive checks answers do not count, but failures that a retry follows do", () => {
  using bench = new Bench();
  const upstream = bench.compile({});
  upstream.pick(undefined);
  for (let count = 0; count < 9; count += 1) {
    report(upstream, 1, { outcome: { kind: "responded", status: 500 } });
    report(upstream, 1, { outcome: failed("refused") });
  }
  expect(bench.states).toMatchObject({ 1: "healthy" });
  report(upstream, 2, { outcome: failed("refused"), isFinal: false });
  report(upstream, 2, { outcome: failed("reset"), isFinal: false });
  for (let count = 0; count < 7; count += 1) report(upstream, 3, { outcome: failed("timeout"), isFinal: false });
  expect(bench.states).toEqual({ 1: "healthy", 2: "unhealthy", 3: "unhealthy" });
  expect(portsOf(upstream)).toEqual([1]);
});

test("a final failure to connect counts by the status the client gets", () => {
  using bench = new Bench();
  const passive = { unhealthy: { http_statuses: [502], http_failures: 1 } };
  const upstream = bench.compile({ checks: { active: {}, passive } });
  upstream.pick(undefined);
  report(upstream, 2, { outcome: failed("refused") });
  expect(portsOf(upstream)).toEqual([1, 3]);
});

test("a client that leaves says nothing of the node", () => {
  using bench = new Bench();
  const passive = { unhealthy: { http_statuses: [499], http_failures: 1 } };
  const upstream = bench.compile({ checks: { active: {}, passive } });
  upstream.pick(undefined);
  report(upstream, 2, { outcome: { kind: "cancelled" } });
  expect(portsOf(upstream)).toEqual([1, 2, 3]);
});

test("checks that are switched off do nothing", async () => {
  using bench = new Bench({ areChecksEnabled: false });
  bench.compile({}).pick(undefined);
  await bench.clock.advance(10_000);
  expect(bench.probed).toHaveLength(0);
  expect(bench.health).toEqual([]);
});
