import { FakeClock } from "@fngate/test-kit";
import { expect, test } from "vitest";
import type { CompiledUpstream } from "../compiled-upstream.ts";
import type { UpstreamConfig } from "../upstream-config.ts";
import type { UpstreamNode } from "../upstream-node.ts";
import { createUpstreams } from "../upstreams.ts";

const CONNECTIONS = { acquire: (target: never) => ({ target, release: () => undefined }) };
const ANSWERED = { kind: "responded", status: 200 } as const;

function setUp() {
  const clock = new FakeClock();
  const upstreams = createUpstreams({ connections: CONNECTIONS, clock, random: () => 0 });
  return { clock, compile: (config: UpstreamConfig) => upstreams.compile(config, { key: "/apisix/upstreams/1" }) };
}

/** Starts a request and returns its node's port and how to end it. */
function open(upstream: CompiledUpstream): { port: number; close: (tookMs?: number) => void } {
  const node = upstream.pick(undefined);
  if (node === undefined) throw new Error("no node");
  upstream.observer?.onStart(node);
  return {
    port: node.port,
    close: (tookMs = 1) => upstream.observer?.onEnd(node, { outcome: ANSWERED, tookMs, isFinal: true }),
  };
}

test("least_conn sends each request to the node with the least to do for its weight", () => {
  const { compile } = setUp();
  const upstream = compile({ type: "least_conn", nodes: { "127.0.0.1:1": 1, "127.0.0.1:2": 2 } });
  const opened = Array.from({ length: 6 }, () => open(upstream));
  expect(opened.filter(({ port }) => port === 2)).toHaveLength(4);
  for (const request of opened) if (request.port === 1) request.close();
  expect([open(upstream).port, open(upstream).port]).toEqual([1, 1]);
});

test("least_conn takes turns among idle nodes", () => {
  const { compile } = setUp();
  const upstream = compile({ type: "least_conn", nodes: { "127.0.0.1:1": 1, "127.0.0.1:2": 1 } });
  const ports = Array.from({ length: 4 }, () => {
    const request = open(upstream);
    request.close();
    return request.port;
  });
  expect(ports.filter((port) => port === 1)).toHaveLength(2);
});

test("least_conn knows the requests of earlier versions of the upstream, even of one with a single node", () => {
  const { compile } = setUp();
  const single = compile({ type: "least_conn", nodes: { "127.0.0.1:1": 1 } });
  const early = [open(single), open(single)];
  const scaled = compile({ type: "least_conn", nodes: { "127.0.0.1:1": 1, "127.0.0.1:2": 1 } });
  single.dispose();
  expect([open(scaled).port, open(scaled).port]).toEqual([2, 2]);
  for (const request of early) request.close();
  expect([open(scaled).port, open(scaled).port]).toEqual([1, 1]);
});

test("ewma prefers the node whose recent answers were faster, whatever the weights", () => {
  const { clock, compile } = setUp();
  const upstream = compile({ type: "ewma", nodes: { "127.0.0.1:1": 100, "127.0.0.1:2": 1 } });
  const [slow, fast] = upstream.nodes as [UpstreamNode, UpstreamNode];
  slow.load.observe(500, clock.monotonicMs());
  fast.load.observe(20, clock.monotonicMs());
  for (let count = 0; count < 5; count += 1) expect(open(upstream).port).toBe(fast.port);
});

test("ewma forgets a node it has not heard of for a minute", async () => {
  const { clock, compile } = setUp();
  const upstream = compile({ type: "ewma", nodes: { "127.0.0.1:1": 1, "127.0.0.1:2": 1 } });
  const [slow] = upstream.nodes as [UpstreamNode];
  slow.load.observe(500, clock.monotonicMs());
  await clock.advance(59_000);
  expect(slow.load.scoreMs(clock.monotonicMs())).toBeGreaterThan(0);
  await clock.advance(1_000);
  expect(slow.load.scoreMs(clock.monotonicMs())).toBe(0);
});

test("a node that refuses connections does not look fast to ewma", () => {
  const { clock, compile } = setUp();
  const upstream = compile({ type: "ewma", nodes: { "127.0.0.1:1": 1, "127.0.0.1:2": 1 } });
  const [node] = upstream.nodes as [UpstreamNode];
  node.load.observe(500, clock.monotonicMs());
  const failure = { reason: "refused", isUnsent: true, cause: new Error("refused") } as const;
  upstream.observer?.onStart(node);
  upstream.observer?.onEnd(node, { outcome: { kind: "failed", failure }, tookMs: 0, isFinal: true });
  expect(node.load.scoreMs(clock.monotonicMs())).toBe(500);
  expect(node.load.inFlight).toBe(0);
});
