import { PassThrough, Readable } from "node:stream";
import { eventually, startEchoUpstream } from "@fngate/test-kit";
import { expect, test } from "vitest";
import type { OutgoingBody } from "../exchange.ts";
import { bytesOf, reasonIn, TestConnections } from "../testing/exchange-fixture.ts";
import { type RawServer, startRawServer } from "../testing/raw-server.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const HEAD = "Host: example.test\r\n";

/** Answers once everything up to `end` has come. */
function answeringAt(end: string): Promise<RawServer> {
  return startRawServer((connection) => {
    if (connection.received.endsWith(end)) connection.socket.write(OK);
  });
}

test.each<{ name: string; method: string; body: () => OutgoingBody; wire: string }>([
  { name: "GET without body has no length", method: "GET", body: () => ({ kind: "none" }), wire: "\r\n" },
  { name: "DELETE without body has no length", method: "DELETE", body: () => ({ kind: "none" }), wire: "\r\n" },
  {
    name: "POST without body has length 0",
    method: "POST",
    body: () => ({ kind: "none" }),
    wire: "content-length: 0\r\n\r\n",
  },
  {
    name: "PUT without body has length 0",
    method: "PUT",
    body: () => ({ kind: "none" }),
    wire: "content-length: 0\r\n\r\n",
  },
  {
    name: "PATCH without body has length 0",
    method: "PATCH",
    body: () => ({ kind: "none" }),
    wire: "content-length: 0\r\n\r\n",
  },
  {
    name: "bytes have their length",
    method: "POST",
    body: () => bytesOf("hello"),
    wire: "content-length: 5\r\n\r\nhello",
  },
  {
    name: "a stream of known length has that length",
    method: "POST",
    body: () => ({ kind: "stream", stream: Readable.from([Buffer.from("hel"), Buffer.from("lo")]), lengthBytes: 5 }),
    wire: "content-length: 5\r\n\r\nhello",
  },
  {
    name: "a stream of unknown length is chunked",
    method: "POST",
    body: () => ({
      kind: "stream",
      stream: Readable.from([Buffer.from("hel"), Buffer.from("lo")]),
      lengthBytes: undefined,
    }),
    wire: "transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
  },
  {
    name: "an empty stream of unknown length has length 0",
    method: "POST",
    body: () => ({ kind: "stream", stream: Readable.from([]), lengthBytes: undefined }),
    wire: "content-length: 0\r\n\r\n",
  },
  {
    name: "any method token passes",
    method: "M-SEARCH",
    body: () => ({ kind: "none" }),
    wire: "\r\n",
  },
])("$name", async ({ method, body, wire }) => {
  await using server = await answeringAt(wire.slice(-8));
  await using connections = new TestConnections();
  const { outcome } = connections.send(connections.endpoint(server.port), { method, body: body() });
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
  expect(server.connections[0]?.received).toBe(`${method} / HTTP/1.1\r\n${HEAD}${wire}`);
});

test("a body on a method that usually has none is framed and ends its connection", async () => {
  await using server = await answeringAt("0\r\n\r\n");
  await using connections = new TestConnections();
  const stream = Readable.from([Buffer.from("GET /smuggled HTTP/1.1\r\n\r\n")]);
  const endpoint = connections.endpoint(server.port);
  const { outcome } = connections.send(endpoint, {
    method: "DELETE",
    body: { kind: "stream", stream, lengthBytes: undefined },
  });
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
  expect(server.connections[0]?.received).toBe(
    "DELETE / HTTP/1.1\r\nHost: example.test\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n" +
      "1a\r\nGET /smuggled HTTP/1.1\r\n\r\n\r\n0\r\n\r\n",
  );
  await eventually(() => server.openCount === 0);
});

test("a client that sends less than it declared fails the request and its connection is not used again", async () => {
  await using server = await startRawServer(() => undefined);
  await using connections = new TestConnections();
  const stream = new PassThrough();
  const body: OutgoingBody = { kind: "stream", stream, lengthBytes: 10 };
  const endpoint = connections.endpoint(server.port);
  const { outcome } = connections.send(endpoint, { method: "POST", body });
  stream.write("short");
  await eventually(() => server.connections[0]?.received.endsWith("short") === true);
  stream.end();
  expect(await outcome).toMatchObject({ kind: "failed", failure: { reason: "request-body", isUnsent: false } });
  await eventually(() => server.openCount === 0 && connections.manager.stats.open === 0);
});

test("a client that sends more than it declared fails the request, and the excess never goes out", async () => {
  await using server = await startRawServer(() => undefined);
  await using connections = new TestConnections();
  const stream = new PassThrough();
  const { outcome } = connections.send(connections.endpoint(server.port), {
    method: "POST",
    body: { kind: "stream", stream, lengthBytes: 5 },
  });
  stream.write("hello");
  await eventually(() => server.connections[0]?.received.endsWith("hello") === true);
  stream.end("GET /smuggled HTTP/1.1\r\n\r\n");
  expect(reasonIn(await outcome)).toBe("request-body");
  await eventually(() => server.openCount === 0);
  expect(server.connections[0]?.received).not.toContain("smuggled");
});

test("a client that breaks off in its body fails the request as the client's fault", async () => {
  await using server = await startRawServer(() => undefined);
  await using connections = new TestConnections();
  const stream = new PassThrough();
  const { outcome } = connections.send(connections.endpoint(server.port), {
    method: "POST",
    body: { kind: "stream", stream, lengthBytes: undefined },
  });
  stream.write("part");
  await eventually(() => server.connections[0]?.received.includes("part") === true);
  stream.destroy(new Error("client went away"));
  const result = await outcome;
  expect(result).toMatchObject({ kind: "failed", failure: { reason: "request-body" } });
  await eventually(() => server.openCount === 0);
  expect(server.connections[0]?.received.endsWith("0\r\n\r\n")).toBe(false);
});

test("an early answer arrives although the body is not sent yet, and the client's stream survives", async () => {
  await using server = await startRawServer((connection) => {
    connection.socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
  });
  await using connections = new TestConnections();
  const stream = new PassThrough();
  stream.write("x");
  const { outcome, sink } = connections.send(connections.endpoint(server.port), {
    method: "POST",
    body: { kind: "stream", stream, lengthBytes: 1000 },
  });
  expect(await outcome).toEqual({ kind: "responded", status: 413 });
  expect(sink.body).toBe("big");
  expect(stream.destroyed).toBe(false);
  await eventually(() => server.openCount === 0 && connections.manager.stats.open === 0);
  // The rest of the body is read and dropped.
  expect(stream.write(Buffer.alloc(100_000))).toBeDefined();
  await eventually(() => stream.readableLength === 0);
});

test("a stream is untouched when no connection comes about", async () => {
  const server = await startRawServer(() => undefined);
  const { port } = server;
  await server[Symbol.asyncDispose]();
  await using connections = new TestConnections();
  const stream = new PassThrough();
  stream.end("hello");
  const { outcome } = connections.send(connections.endpoint(port), {
    method: "POST",
    body: { kind: "stream", stream, lengthBytes: 5 },
  });
  expect(await outcome).toMatchObject({ kind: "failed", failure: { isUnsent: true } });
  expect(stream.readableDidRead).toBe(false);
  expect(stream.readableLength).toBe(5);
});

test.each<{ name: string; headers: string[] }>([
  { name: "a line break in a value", headers: ["X-A", "1\r\nX-B: 2"] },
  { name: "a bare line feed in a value", headers: ["X-A", "1\nX-B: 2"] },
  { name: "a NUL in a value", headers: ["X-A", "1\0"] },
  { name: "a line break in a name", headers: ["X-A\r\nX-B", "1"] },
  { name: "an empty name", headers: ["", "1"] },
  { name: "a character above latin-1 in a value", headers: ["X-A", "\u{4e2d}"] },
  { name: "Transfer-Encoding", headers: ["Transfer-Encoding", "chunked"] },
  { name: "two lengths", headers: ["Content-Length", "1", "Content-Length", "2"] },
  { name: "a length that is no number", headers: ["Content-Length", "+5"] },
  { name: "two hosts", headers: ["Host", "a", "Host", "b"] },
  { name: "Expect", headers: ["Expect", "100-continue"] },
])("$name never reaches the wire", async ({ headers }) => {
  await using server = await answeringAt("\r\n\r\n");
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(server.port);
  const { outcome } = connections.send(endpoint, { method: "POST", headers, body: bytesOf("hello") });
  expect(await outcome).toMatchObject({ kind: "failed", failure: { reason: "invalid-request", isUnsent: true } });
  expect(server.connections).toHaveLength(0);
});

test.each(["GET /x", "", "G\r\nT", "CONNECT"])("the method %j never reaches the wire", async (method) => {
  await using server = await answeringAt("\r\n\r\n");
  await using connections = new TestConnections();
  const { outcome } = connections.send(connections.endpoint(server.port), { method });
  expect(reasonIn(await outcome)).toBe("invalid-request");
  expect(server.connections).toHaveLength(0);
});

test.each(["/a b", "/a\r\nX: y", "/a\tb", "relative", "/\u{4e2d}"])(
  "the target %j never reaches the wire",
  async (target) => {
    await using server = await answeringAt("\r\n\r\n");
    await using connections = new TestConnections();
    const { outcome } = connections.send(connections.endpoint(server.port), { target });
    expect(reasonIn(await outcome)).toBe("invalid-request");
    expect(server.connections).toHaveLength(0);
  },
);

test("a request that cannot be sent leaves the kept connection alone", async () => {
  await using upstream = await startEchoUpstream();
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(upstream.port);
  await connections.send(endpoint).outcome;
  await connections.send(endpoint, { headers: ["X-A", "\r"] }).outcome;
  await connections.send(endpoint).outcome;
  expect(upstream.connections).toBe(1);
});

test("targets and values are sent as latin-1 bytes", async () => {
  await using server = await answeringAt("\r\n\r\n");
  await using connections = new TestConnections();
  const { outcome } = connections.send(connections.endpoint(server.port), {
    target: "/\xe9?\xff",
    headers: ["X-A", "\xfcber"],
  });
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
  expect(server.connections[0]?.received).toContain("GET /\xe9?\xff HTTP/1.1\r\n");
  expect(server.connections[0]?.received).toContain("X-A: \xfcber\r\n");
});

test("a change of Host keeps the connection", async () => {
  await using upstream = await startEchoUpstream();
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(upstream.port);
  for (const host of ["a.test", "b.test:81", "[::1]"])
    await connections.send(endpoint, { headers: ["Host", host] }).outcome;
  expect(upstream.requests.map(({ headers }) => headers.host)).toEqual(["a.test", "b.test:81", "[::1]"]);
  expect(upstream.connections).toBe(1);
});
