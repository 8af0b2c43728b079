import { PassThrough, Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { eventually, startEchoUpstream } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { bytesOf, reasonIn, TestConnections } from "../testing/exchange-fixture.ts";
import { type RawServer, startRawServer } from "../testing/raw-server.ts";

/** Accepts connections and never takes a byte off them. */
async function startDeafServer(): Promise<RawServer> {
  const server = await startRawServer((connection) => connection.socket.pause());
  return server;
}

test.each([100, 400, 900, 1100, 1500])(
  "silence for %d ms before the head is a timeout, and not earlier",
  async (readMs) => {
    await using server = await startRawServer(() => undefined);
    await using connections = new TestConnections();
    const endpoint = connections.endpoint(server.port, { timeouts: { readMs } });
    const started = performance.now();
    expect(await connections.send(endpoint).outcome).toMatchObject({
      kind: "failed",
      failure: { reason: "timeout", isUnsent: false },
    });
    expect(performance.now() - started).toBeGreaterThanOrEqual(readMs);
    await eventually(() => server.openCount === 0 && connections.manager.stats.open === 0);
  },
);

test("limits that are longer than a timer can wait end nothing at once", async () => {
  await using server = await startRawServer(({ socket }) => void delay(20).then(() => socket.destroy()));
  await using connections = new TestConnections();
  const timeouts = { connectMs: 2 ** 31 - 1, sendMs: 2 ** 40, readMs: 2 ** 40 };
  for (const scheme of ["https", "http"] as const) {
    const { outcome } = connections.send(connections.endpoint(server.port, { scheme, timeouts }));
    expect(reasonIn(await outcome)).not.toMatch(/timeout/);
  }
});

test("the read limit starts anew with each piece of data", async () => {
  const pieces = async function* () {
    for (let count = 0; count < 6; count += 1) {
      await delay(60);
      yield "x";
    }
  };
  await using upstream = await startEchoUpstream({ reply: () => ({ chunks: pieces() }) });
  await using connections = new TestConnections();
  const { outcome, sink } = connections.send(connections.endpoint(upstream.port, { timeouts: { readMs: 250 } }));
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
  expect(sink.body).toBe("xxxxxx");
});

test("silence in the middle of a body truncates the answer", async () => {
  await using server = await startRawServer((connection) => {
    connection.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  });
  await using connections = new TestConnections();
  const { outcome, sink } = connections.send(connections.endpoint(server.port, { timeouts: { readMs: 100 } }));
  expect(await outcome).toMatchObject({ kind: "truncated", status: 200, failure: { reason: "timeout" } });
  expect(sink.body).toBe("half");
});

test("a limit that ran out in one exchange's idle time does not end the next", async () => {
  await using upstream = await startEchoUpstream();
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(upstream.port, { timeouts: { readMs: 80 } });
  await connections.send(endpoint).outcome;
  await delay(200);
  expect(await connections.send(endpoint).outcome).toEqual({ kind: "responded", status: 200 });
  expect(upstream.connections).toBe(1);
});

test.each([
  { name: "a stream", body: () => ({ kind: "stream", stream: endless(), lengthBytes: undefined }) as const },
  { name: "bytes", body: () => ({ kind: "bytes", bytes: Buffer.alloc(64 * 1024 * 1024) }) as const },
])("an upstream that takes no data times out while $name is sent", async ({ body }) => {
  await using server = await startDeafServer();
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(server.port, { timeouts: { sendMs: 150, readMs: 60_000 } });
  const { outcome } = connections.send(endpoint, { method: "POST", body: body() });
  expect(await outcome).toMatchObject({ kind: "failed", failure: { reason: "timeout", isUnsent: false } });
});

test("a slow client does not make the upstream time out", async () => {
  await using upstream = await startEchoUpstream();
  await using connections = new TestConnections();
  const stream = new PassThrough();
  // The read limit is roomy: a busy machine may well take longer than the send limit to answer.
  const endpoint = connections.endpoint(upstream.port, { timeouts: { sendMs: 50 } });
  const { outcome } = connections.send(endpoint, { method: "POST", body: { kind: "stream", stream, lengthBytes: 10 } });
  stream.write("first");
  await delay(200);
  stream.end("later");
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
  expect(upstream.requests[0]?.body.toString()).toBe("firstlater");
});

test("large bytes that the upstream takes slowly but steadily do not time out", async () => {
  const size = 4 * 1024 * 1024;
  await using server = await startRawServer(({ socket }) => {
    if (socket.bytesRead > size) socket.write("HTTP/1.1 204 No Content\r\n\r\n");
    socket.pause();
    setTimeout(() => socket.resume(), 2);
  });
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(server.port, { timeouts: { sendMs: 150, readMs: 5_000 } });
  const { outcome } = connections.send(endpoint, {
    method: "POST",
    body: { kind: "bytes", bytes: Buffer.alloc(size, "x") },
  });
  expect(await outcome).toEqual({ kind: "responded", status: 204 });
  expect(server.connections[0]?.received).toContain(`content-length: ${size}\r\n`);
});

test("a POST that timed out is never sent again by the forwarder", async () => {
  await using server = await startRawServer(() => undefined);
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(server.port, { timeouts: { readMs: 50 } });
  expect(reasonIn(await connections.send(endpoint, { method: "POST", body: bytesOf("x") }).outcome)).toBe("timeout");
  expect(server.connections).toHaveLength(1);
});

test("50 MB of request body stream through without being held", async () => {
  const total = 50 * 1024 * 1024;
  await using server = await startDeafServer();
  await using connections = new TestConnections();
  let produced = 0;
  const stream = new Readable({
    read() {
      const chunk = produced >= total ? null : Buffer.alloc(64 * 1024, "x");
      produced += chunk?.length ?? 0;
      this.push(chunk);
    },
  });
  const { outcome } = connections.send(connections.endpoint(server.port), {
    method: "PUT",
    body: { kind: "stream", stream, lengthBytes: total },
  });
  await eventually(() => server.connections.length === 1);
  const held = await settled(() => produced);
  // What the kernel buffers of both sockets and two streams hold.
  expect(held).toBeLessThan(total / 2);
  const [connection] = server.connections;
  connection?.socket.removeAllListeners("data");
  connection?.socket.on("data", () => {
    if (connection.socket.bytesRead >= total) connection.socket.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  connection?.socket.resume();
  expect(await outcome).toEqual({ kind: "responded", status: 204 });
  expect(produced).toBe(total);
});

function endless(): Readable {
  return new Readable({
    read() {
      // As from a socket: a synchronous source without end would never let the process do anything else.
      setImmediate(() => this.push(Buffer.alloc(64 * 1024)));
    },
  });
}

/** The value once it stays the same for a while. */
async function settled(read: () => number): Promise<number> {
  let last = -1;
  let stable = 0;
  await eventually(() => {
    stable = read() === last ? stable + 1 : 0;
    last = read();
    return stable > 5;
  });
  return last;
}
