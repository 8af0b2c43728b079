import { eventually, startEchoUpstream } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { RecordingSink, reasonIn, TestConnections, targetOf } from "../testing/exchange-fixture.ts";
import { answering, startRawServer, unusedPort } from "../testing/raw-server.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

test("an answer reaches the sink with status, reason, fields in order and body", async () => {
  await using server = await startRawServer(
    answering(
      "HTTP/1.1 201 Made Up\r\nSet-Cookie: a=1\r\nX-Odd-CASE: yes\r\nset-cookie: b=2\r\nContent-Length: 5\r\n\r\nhello",
    ),
  );
  await using connections = new TestConnections();
  const { sink, outcome } = connections.send(connections.endpoint(server.port), { target: "/a?b=c" });
  expect(await outcome).toEqual({ kind: "responded", status: 201 });
  expect(sink).toMatchObject({ status: 201, reason: "Made Up", body: "hello", isEnded: true, heads: 1 });
  expect(sink.headers).toEqual(["Set-Cookie", "a=1", "X-Odd-CASE", "yes", "set-cookie", "b=2", "Content-Length", "5"]);
  expect(server.connections[0]?.received).toBe("GET /a?b=c HTTP/1.1\r\nHost: example.test\r\n\r\n");
});

test("requests one after the other share a connection, requests at once do not", async () => {
  await using upstream = await startEchoUpstream();
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(upstream.port);
  for (let count = 0; count < 5; count += 1) await connections.send(endpoint).outcome;
  expect(upstream.connections).toBe(1);
  await Promise.all(Array.from({ length: 5 }, () => connections.send(endpoint).outcome));
  expect(upstream.connections).toBe(5);
  expect(connections.manager.stats).toEqual({ pools: 1, open: 5, idle: 5 });
});

test("the most recently used idle connection is taken first", async () => {
  await using upstream = await startEchoUpstream({ reply: (request) => ({ body: String(request.connection) }) });
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(upstream.port);
  const first = connections.send(endpoint);
  const second = connections.send(endpoint);
  await first.outcome;
  await second.outcome;
  const last = connections.send(endpoint);
  await last.outcome;
  const again = connections.send(endpoint);
  await again.outcome;
  expect(again.sink.body).toBe(last.sink.body);
});

test("above the idle limit the least recently used connection is closed", async () => {
  await using upstream = await startEchoUpstream();
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(upstream.port, { keepalive: { idleConnections: 2 } });
  await Promise.all(Array.from({ length: 6 }, () => connections.send(endpoint).outcome));
  await eventually(() => upstream.openConnections === 2);
  expect(connections.manager.stats).toEqual({ pools: 1, open: 2, idle: 2 });
});

test("without idle connections each one closes after its answer, and no close is announced", async () => {
  await using server = await startRawServer(answering(OK));
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(server.port, { keepalive: { idleConnections: 0 } });
  await connections.send(endpoint).outcome;
  await connections.send(endpoint).outcome;
  await eventually(() => server.openCount === 0);
  expect(server.connections).toHaveLength(2);
  expect(server.connections[0]?.received.toLowerCase()).not.toContain("connection: close");
});

test("a connection idle for longer than its limit is closed", async () => {
  await using upstream = await startEchoUpstream();
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(upstream.port, { keepalive: { idleTimeoutMs: 50 } });
  await connections.send(endpoint).outcome;
  await eventually(() => upstream.openConnections === 0);
  await eventually(() => connections.manager.stats.open === 0);
});

test("a connection carries no more requests than its limit", async () => {
  await using upstream = await startEchoUpstream();
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(upstream.port, { keepalive: { maxRequests: 2 } });
  for (let count = 0; count < 6; count += 1) await connections.send(endpoint).outcome;
  expect(upstream.connections).toBe(3);
});

test("an idle connection that the upstream closes leaves the pool", async () => {
  await using upstream = await startEchoUpstream();
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(upstream.port);
  await connections.send(endpoint).outcome;
  upstream.dropConnections();
  await eventually(() => connections.manager.stats.open === 0);
  expect(await connections.send(endpoint).outcome).toEqual({ kind: "responded", status: 200 });
});

test("an answer with Connection: close ends its connection", async () => {
  await using server = await startRawServer(
    answering("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
  );
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(server.port);
  for (let count = 0; count < 3; count += 1) await connections.send(endpoint).outcome;
  expect(server.connections).toHaveLength(3);
  await eventually(() => connections.manager.stats.open === 0);
});

test("a connection on which data comes unasked is closed and not used again", async () => {
  await using server = await startRawServer(answering(OK));
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(server.port);
  await connections.send(endpoint).outcome;
  server.connections[0]?.socket.write(OK);
  await eventually(() => server.openCount === 0 && connections.manager.stats.open === 0);
  expect(await connections.send(endpoint).outcome).toEqual({ kind: "responded", status: 200 });
  expect(server.connections).toHaveLength(2);
});

test.each([
  { name: "shorter than a second", field: "timeout=1", kept: 0 },
  { name: "of five seconds", field: "timeout=5, max=100", kept: 1 },
])("a Keep-Alive $name keeps $kept connections", async ({ field, kept }) => {
  await using server = await startRawServer(
    answering(`HTTP/1.1 200 OK\r\nKeep-Alive: ${field}\r\nContent-Length: 0\r\n\r\n`),
  );
  await using connections = new TestConnections();
  await connections.send(connections.endpoint(server.port)).outcome;
  expect(connections.manager.stats.idle).toBe(kept);
});

test("equal targets share connections whatever their timeouts, other targets do not", async () => {
  await using upstream = await startEchoUpstream();
  await using connections = new TestConnections();
  const one = connections.endpoint(upstream.port);
  const same = connections.endpoint(upstream.port, { timeouts: { readMs: 1 } });
  const other = connections.endpoint(upstream.port, { keepalive: { idleConnections: 1 } });
  expect(connections.manager.stats.pools).toBe(2);
  await connections.send(one).outcome;
  await connections.send(connections.endpoint(upstream.port)).outcome;
  expect(upstream.connections).toBe(1);
  await connections.send(other).outcome;
  expect(upstream.connections).toBe(2);
  same.release();
});

test("the last release closes idle connections and lets a running exchange end", async () => {
  let finish = (): void => undefined;
  await using upstream = await startEchoUpstream({
    reply: async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return { body: "late" };
    },
  });
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(upstream.port);
  const { outcome, sink } = connections.send(endpoint);
  await upstream.request();
  endpoint.release();
  expect(connections.manager.stats).toMatchObject({ pools: 0, open: 1 });
  finish();
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
  expect(sink.body).toBe("late");
  await eventually(() => connections.manager.stats.open === 0 && upstream.openConnections === 0);
});

test("close waits for running exchanges and leaves no connection", async () => {
  await using upstream = await startEchoUpstream({ reply: { delayMs: 30 } });
  await using connections = new TestConnections();
  const { outcome } = connections.send(connections.endpoint(upstream.port));
  await connections.manager.close();
  expect(connections.manager.stats.open).toBe(0);
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
});

test("destroy fails running exchanges at once", async () => {
  await using upstream = await startEchoUpstream({ reply: { delayMs: 60_000 } });
  await using connections = new TestConnections();
  const { outcome } = connections.send(connections.endpoint(upstream.port));
  await upstream.request();
  await connections.manager.destroy();
  expect((await outcome).kind).toBe("failed");
  expect(connections.manager.stats.open).toBe(0);
});

test.each(["GET", "HEAD", "OPTIONS", "TRACE"])(
  "%s is sent again when the kept connection proves dead",
  async (method) => {
    await using server = await startRawServer((connection, index) => {
      if (index > 0 || connection.heads === 1)
        connection.socket.write("HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
      else connection.socket.destroy();
    });
    await using connections = new TestConnections();
    const endpoint = connections.endpoint(server.port);
    await connections.send(endpoint).outcome;
    expect(await connections.send(endpoint, { method }).outcome).toEqual({ kind: "responded", status: 204 });
    expect(server.connections).toHaveLength(2);
  },
);

test.each(["POST", "PUT", "DELETE"])("%s is not sent again by the forwarder on a dead connection", async (method) => {
  await using server = await startRawServer((connection, index) => {
    if (index > 0 || connection.heads === 1) connection.socket.write(OK);
    else connection.socket.destroy();
  });
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(server.port);
  await connections.send(endpoint).outcome;
  expect(await connections.send(endpoint, { method }).outcome).toMatchObject({
    kind: "failed",
    failure: { reason: "reset", isUnsent: false },
  });
  expect(server.connections).toHaveLength(1);
});

test("a fresh connection that dies is a failure, also for GET", async () => {
  await using server = await startRawServer((connection) => connection.socket.destroy());
  await using connections = new TestConnections();
  const outcome = await connections.send(connections.endpoint(server.port)).outcome;
  expect(outcome).toMatchObject({ kind: "failed", failure: { reason: "reset", isUnsent: false } });
  expect(server.connections).toHaveLength(1);
});

test("the repeat happens once", async () => {
  await using server = await startRawServer((connection, index) => {
    if (index === 0 && connection.heads === 1) connection.socket.write(OK);
    else connection.socket.destroy();
  });
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(server.port);
  await connections.send(endpoint).outcome;
  expect(reasonIn(await connections.send(endpoint).outcome)).toBe("reset");
  expect(server.connections).toHaveLength(2);
});

test("a refused connection and an unknown name are told apart and nothing was sent", async () => {
  await using connections = new TestConnections();
  const refused = await connections.send(connections.endpoint(await unusedPort())).outcome;
  expect(refused).toMatchObject({ kind: "failed", failure: { reason: "refused", isUnsent: true } });
  const unresolved = await connections.send(connections.endpoint(80, { host: "no-such-name.invalid" })).outcome;
  expect(unresolved).toMatchObject({ kind: "failed", failure: { reason: "unresolved", isUnsent: true } });
  await eventually(() => connections.manager.stats.open === 0);
});

test("cancelling while connecting ends the attempt", async () => {
  // A documentation address: packets to it get no answer, or an error at once.
  await using connections = new TestConnections();
  const { exchange, outcome } = connections.send(connections.endpoint(81, { host: "192.0.2.1" }));
  exchange.cancel();
  expect(await outcome).toEqual({ kind: "cancelled" });
  await eventually(() => connections.manager.stats.open === 0);
});

test("cancelling destroys the upstream connection and reports no failure", async () => {
  await using server = await startRawServer(() => undefined);
  await using connections = new TestConnections();
  const { exchange, outcome } = connections.send(connections.endpoint(server.port));
  await eventually(() => server.connections[0]?.heads === 1);
  exchange.cancel();
  expect(await outcome).toEqual({ kind: "cancelled" });
  await eventually(() => server.openCount === 0 && connections.manager.stats.open === 0);
});

test("cancelling in the middle of an answer cuts it, cancelling after it does nothing", async () => {
  await using server = await startRawServer(answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst"));
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(server.port);
  const { exchange, outcome, sink } = connections.send(endpoint);
  await eventually(() => sink.body === "first");
  exchange.cancel();
  expect(await outcome).toEqual({ kind: "cancelled" });
  expect(sink.isEnded).toBe(false);
  await eventually(() => server.openCount === 0);

  await using upstream = await startEchoUpstream();
  const complete = connections.send(connections.endpoint(upstream.port));
  await complete.outcome;
  complete.exchange.cancel();
  expect(upstream.openConnections).toBe(1);
});

test("an endpoint of something else is refused", () => {
  const connections = new TestConnections();
  const stranger = { target: targetOf(1), release: () => undefined };
  const send = () =>
    connections.manager.forward(
      stranger,
      { method: "GET", target: "/", headers: [], body: { kind: "none" } },
      new RecordingSink(),
    );
  expect(send).toThrow(expect.objectContaining({ code: "UPSTREAM_INVALID" }));
});
