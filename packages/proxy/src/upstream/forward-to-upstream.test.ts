import { PassThrough, Readable } from "node:stream";
import { type EchoUpstream, eventually, startEchoUpstream } from "@fngate/test-kit";
import { expect, test } from "vitest";
import type { OutgoingBody } from "../exchange.ts";
import { bytesOf, RecordingSink, requestOf, TestConnections } from "../testing/exchange-fixture.ts";
import { startRawServer, unusedPort } from "../testing/raw-server.ts";
import { compileUpstream } from "./compile-upstream.ts";
import { forwardToUpstream, type UpstreamExchange } from "./forward-to-upstream.ts";
import type { UpstreamConfig, UpstreamNodeConfig } from "./upstream-config.ts";

/** Nodes in the order they will be tried. */
function nodesAt(...ports: number[]): UpstreamNodeConfig[] {
  return ports.map((port, index) => ({ host: "127.0.0.1", port, weight: 1, priority: -index }));
}

interface Started {
  readonly exchange: UpstreamExchange;
  readonly sink: RecordingSink;
}

function start(
  connections: TestConnections,
  config: UpstreamConfig,
  call: { method?: string; body?: OutgoingBody } = {},
): Started {
  const upstream = compileUpstream(config, connections.manager);
  const sink = new RecordingSink();
  const request = requestOf({ headers: ["X-A", "1"], ...call });
  const exchange = forwardToUpstream({
    upstream,
    forwarder: connections.manager,
    request,
    host: "Client.test:9080",
    sink,
  });
  return { exchange, sink };
}

test.each([
  { name: "pass", config: {}, host: () => "Client.test:9080" },
  { name: "node", config: { pass_host: "node" as const }, host: (server: EchoUpstream) => `127.0.0.1:${server.port}` },
  { name: "rewrite", config: { pass_host: "rewrite" as const, upstream_host: "other.test" }, host: () => "other.test" },
])("the node sees the Host of pass_host $name", async ({ config, host }) => {
  await using server = await startEchoUpstream();
  await using connections = new TestConnections();
  const { exchange, sink } = start(connections, { nodes: nodesAt(server.port), ...config });
  expect(await exchange.result).toMatchObject({ status: 200, attempts: [{ status: 200, failure: undefined }] });
  expect(sink.isEnded).toBe(true);
  expect(server.requests[0]?.headers).toMatchObject({ host: host(server), "x-a": "1" });
});

test("without nodes the answer is 503 and nothing was attempted", async () => {
  await using connections = new TestConnections();
  expect(await start(connections, { nodes: {} }).exchange.result).toEqual({
    outcome: undefined,
    attempts: [],
    status: 503,
  });
});

test("an upstream's own 502 is final", async () => {
  await using server = await startEchoUpstream({ reply: { status: 502 } });
  await using connections = new TestConnections();
  const result = await start(connections, { nodes: nodesAt(server.port, await unusedPort()) }).exchange.result;
  expect(result).toMatchObject({ status: 502, outcome: { kind: "responded" } });
  expect(result.attempts).toHaveLength(1);
});

test.each<{ name: string; method: string; body: () => OutgoingBody }>([
  { name: "GET", method: "GET", body: () => ({ kind: "none" }) },
  { name: "POST with bytes", method: "POST", body: () => bytesOf("hello") },
  {
    name: "POST with a stream",
    method: "POST",
    body: () => ({ kind: "stream", stream: Readable.from([Buffer.from("hello")]), lengthBytes: 5 }),
  },
  {
    name: "PUT with a chunked stream",
    method: "PUT",
    body: () => ({ kind: "stream", stream: Readable.from([Buffer.from("hello")]), lengthBytes: undefined }),
  },
])("$name goes to the next node when the first refuses", async ({ method, body }) => {
  await using server = await startEchoUpstream();
  await using connections = new TestConnections();
  const sent = body();
  const { exchange } = start(connections, { nodes: nodesAt(await unusedPort(), server.port) }, { method, body: sent });
  const result = await exchange.result;
  expect(result.status).toBe(200);
  expect(result.attempts.map(({ status, failure }) => [status, failure?.reason])).toEqual([
    [502, "refused"],
    [200, undefined],
  ]);
  expect(server.requests[0]?.body.toString()).toBe(sent.kind === "none" ? "" : "hello");
});

test.each<{ method: string; lengthBytes: number | undefined; isRetried: boolean }>([
  { method: "PUT", lengthBytes: 5, isRetried: true },
  { method: "DELETE", lengthBytes: 5, isRetried: true },
  { method: "PUT", lengthBytes: undefined, isRetried: false },
  { method: "POST", lengthBytes: 5, isRetried: false },
  { method: "PATCH", lengthBytes: 5, isRetried: false },
])(
  "$method with length $lengthBytes, reset after it was sent: retried $isRetried",
  async ({ method, lengthBytes, isRetried }) => {
    await using broken = await startRawServer((connection) => {
      if (connection.received.includes("hello")) connection.socket.destroy();
    });
    await using server = await startEchoUpstream();
    await using connections = new TestConnections();
    const body: OutgoingBody = { kind: "stream", stream: Readable.from([Buffer.from("hello")]), lengthBytes };
    const result = await start(connections, { nodes: nodesAt(broken.port, server.port) }, { method, body }).exchange
      .result;
    expect(result.status).toBe(isRetried ? 200 : 502);
    expect(server.requests.map(({ body: received }) => received.toString())).toEqual(isRetried ? ["hello"] : []);
  },
);

test("silence is retried on another node for GET and gives 504 for POST", async () => {
  await using silent = await startRawServer(() => undefined);
  await using server = await startEchoUpstream();
  await using connections = new TestConnections();
  const config = { nodes: nodesAt(silent.port, server.port), timeout: { connect: 5, send: 0.1, read: 0.1 } };
  const read = await start(connections, config).exchange.result;
  expect(read.attempts.map(({ status }) => status)).toEqual([504, 200]);
  const written = await start(connections, config, { method: "POST", body: bytesOf("x") }).exchange.result;
  expect(written).toMatchObject({ status: 504, attempts: [{ status: 504 }] });
});

test("a malformed answer is final", async () => {
  await using broken = await startRawServer((connection) => connection.socket.end("nonsense\r\n\r\n"));
  await using server = await startEchoUpstream();
  await using connections = new TestConnections();
  const result = await start(connections, { nodes: nodesAt(broken.port, server.port) }).exchange.result;
  expect(result).toMatchObject({ status: 502, attempts: [{ failure: { reason: "bad-response" } }] });
  expect(server.requests).toHaveLength(0);
});

test("no node is tried twice, and 502 stands for all of them", async () => {
  await using connections = new TestConnections();
  const nodes = nodesAt(await unusedPort(), await unusedPort());
  const result = await start(connections, { nodes, retries: 10 }).exchange.result;
  expect(result.status).toBe(502);
  expect(result.attempts.map(({ node }) => node.port)).toEqual(nodes.map(({ port }) => port));
});

test("retries bound the attempts, and a lone node may be tried again", async () => {
  await using connections = new TestConnections();
  const nodes = nodesAt(await unusedPort(), await unusedPort(), await unusedPort());
  expect((await start(connections, { nodes, retries: 1 }).exchange.result).attempts).toHaveLength(2);
  expect((await start(connections, { nodes, retries: 0 }).exchange.result).attempts).toHaveLength(1);
  expect((await start(connections, { nodes: nodes.slice(0, 1), retries: 2 }).exchange.result).attempts).toHaveLength(3);
});

test("no attempt starts after the retry limit in time", async () => {
  await using silent = await startRawServer(() => undefined);
  await using server = await startEchoUpstream();
  await using connections = new TestConnections();
  const timeout = { connect: 5, send: 0.2, read: 0.2 };
  const config = { nodes: nodesAt(silent.port, server.port), timeout, retry_timeout: 0.1 };
  expect(await start(connections, config).exchange.result).toMatchObject({ status: 502, attempts: [{ status: 504 }] });
});

test("nodes whose names do not resolve count as no nodes", async () => {
  await using connections = new TestConnections();
  const { exchange } = start(connections, { nodes: { "one.invalid": 1, "two.invalid": 1 } });
  expect((await exchange.result).status).toBe(503);
});

test("nothing is retried after the answer began", async () => {
  await using broken = await startEchoUpstream({ reply: { chunks: ["part"], reset: "after-chunks" } });
  await using server = await startEchoUpstream();
  await using connections = new TestConnections();
  const { exchange, sink } = start(connections, { nodes: nodesAt(broken.port, server.port) });
  expect(await exchange.result).toMatchObject({
    status: 200,
    outcome: { kind: "truncated" },
    attempts: [{ status: 200 }],
  });
  expect(sink).toMatchObject({ heads: 1, isEnded: false });
  expect(server.requests).toHaveLength(0);
});

test("a client that goes away ends the attempt as 499 and starts no other", async () => {
  await using silent = await startRawServer(() => undefined);
  await using server = await startEchoUpstream();
  await using connections = new TestConnections();
  const { exchange } = start(connections, { nodes: nodesAt(silent.port, server.port) });
  await eventually(() => silent.connections[0]?.heads === 1);
  exchange.cancel();
  expect(await exchange.result).toMatchObject({ status: 499, outcome: { kind: "cancelled" } });
  expect(server.requests).toHaveLength(0);
  await eventually(() => silent.openCount === 0);
});

test("a client that breaks off while its body is kept for retries is a 499 without an attempt", async () => {
  await using connections = new TestConnections();
  const stream = new PassThrough();
  const body: OutgoingBody = { kind: "stream", stream, lengthBytes: 10 };
  const { exchange } = start(connections, { nodes: nodesAt(1, 2) }, { method: "PUT", body });
  stream.write("half");
  stream.destroy(new Error("gone"));
  expect(await exchange.result).toMatchObject({ status: 499, attempts: [] });
});
