import { eventually } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { RecordingSink, reasonIn, TestConnections } from "../testing/exchange-fixture.ts";
import { answering, startRawServer } from "../testing/raw-server.ts";

test.each<{ name: string; fields: string; expected: string[] }>([
  {
    name: "fields of one connection",
    fields: "Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nX-A: 1\r\n",
    expected: ["X-A", "1"],
  },
  {
    name: "fields named by Connection",
    fields: "Connection: keep-alive, X-Hop\r\nx-hop: 1\r\nX-Hop2: 2\r\n",
    expected: ["X-Hop2", "2"],
  },
  {
    name: "fields named by several Connection lines",
    fields: "X-One: 1\r\nConnection: x-one\r\nConnection: X-TWO\r\nX-Two: 2\r\nX-Three: 3\r\n",
    expected: ["X-Three", "3"],
  },
])("$name are removed from an answer", async ({ fields, expected }) => {
  await using server = await startRawServer(answering(`HTTP/1.1 204 No Content\r\n${fields}\r\n`));
  await using connections = new TestConnections();
  const { sink, outcome } = connections.send(connections.endpoint(server.port));
  expect(await outcome).toEqual({ kind: "responded", status: 204 });
  expect(sink.headers).toEqual(expected);
});

test("Transfer-Encoding is consumed and chunks arrive decoded", async () => {
  await using server = await startRawServer(
    answering(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nX-T: 1\r\n\r\n",
    ),
  );
  await using connections = new TestConnections();
  const { sink, outcome } = connections.send(connections.endpoint(server.port));
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
  expect(sink.headers).toEqual(["Trailer", "X-T"]);
  expect(sink.body).toBe("abcde");
  expect(connections.manager.stats.idle).toBe(1);
});

test("empty values and latin-1 bytes of an answer are kept", async () => {
  await using server = await startRawServer(
    answering("HTTP/1.1 200 \r\nX-Empty:\r\nX-Name: \xe9\xff\r\nContent-Length: 0\r\n\r\n"),
  );
  await using connections = new TestConnections();
  const { sink, outcome } = connections.send(connections.endpoint(server.port));
  await outcome;
  expect(sink).toMatchObject({ reason: "", headers: ["X-Empty", "", "X-Name", "\xe9\xff", "Content-Length", "0"] });
});

test.each(["102 Processing", "103 Early Hints"])("an interim %s is skipped", async (status) => {
  await using server = await startRawServer(
    answering(`HTTP/1.1 ${status}\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`),
  );
  await using connections = new TestConnections();
  const { sink, outcome } = connections.send(connections.endpoint(server.port));
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
  expect(sink).toMatchObject({ heads: 1, status: 200, body: "ok" });
});

test.each([
  "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\n\r\n",
  "garbage\r\n\r\n",
  "HTTP/1.1 2x0 OK\r\n\r\n",
  "HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  `HTTP/1.1 200 OK\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`,
])("the answer %j is a bad response and ends its connection", async (bytes) => {
  await using server = await startRawServer(answering(bytes));
  await using connections = new TestConnections();
  const { sink, outcome } = connections.send(connections.endpoint(server.port));
  expect(await outcome).toMatchObject({ kind: "failed", failure: { reason: "bad-response", isUnsent: false } });
  expect(sink.heads).toBe(0);
  await eventually(() => server.openCount === 0 && connections.manager.stats.open === 0);
});

test.each([
  { name: "HEAD", method: "HEAD", head: "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 10\r\n\r\n" },
  { name: "204", method: "GET", head: "HTTP/1.1 204 No Content\r\n\r\n" },
  { name: "304", method: "GET", head: "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n" },
])("an answer without body ($name) is complete after its head and keeps the connection", async ({ method, head }) => {
  await using server = await startRawServer(answering(head));
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(server.port);
  const first = connections.send(endpoint, { method });
  expect((await first.outcome).kind).toBe("responded");
  expect(first.sink).toMatchObject({ body: "", isEnded: true });
  await connections.send(endpoint, { method }).outcome;
  expect(server.connections).toHaveLength(1);
});

test("an answer to HEAD keeps its Content-Length", async () => {
  await using server = await startRawServer(answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"));
  await using connections = new TestConnections();
  const { sink, outcome } = connections.send(connections.endpoint(server.port), { method: "HEAD" });
  await outcome;
  expect(sink.headers).toEqual(["Content-Length", "10"]);
});

test("a body without length ends with its connection", async () => {
  await using server = await startRawServer((connection) => connection.socket.end("HTTP/1.0 200 OK\r\n\r\nall of it"));
  await using connections = new TestConnections();
  const { sink, outcome } = connections.send(connections.endpoint(server.port));
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
  expect(sink.body).toBe("all of it");
  await eventually(() => connections.manager.stats.open === 0);
});

test.each([
  { name: "a length", head: "Content-Length: 100\r\n\r\n0123456789" },
  { name: "chunks", head: "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n" },
])("a body cut short of $name is truncated", async ({ head }) => {
  await using server = await startRawServer((connection) => connection.socket.end(`HTTP/1.1 200 OK\r\n${head}`));
  await using connections = new TestConnections();
  const { sink, outcome } = connections.send(connections.endpoint(server.port));
  expect(await outcome).toMatchObject({ kind: "truncated", status: 200, failure: { isUnsent: false } });
  expect(sink).toMatchObject({ body: "0123456789", isEnded: false });
});

test("garbage inside chunks truncates the answer as a bad response", async () => {
  await using server = await startRawServer(
    answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n"),
  );
  await using connections = new TestConnections();
  const outcome = await connections.send(connections.endpoint(server.port)).outcome;
  expect(outcome.kind).toBe("truncated");
  expect(reasonIn(outcome)).toBe("bad-response");
});

test("a connection closed inside the head is a reset", async () => {
  await using server = await startRawServer((connection) => connection.socket.end("HTTP/1.1 200 OK\r\nX-A: "));
  await using connections = new TestConnections();
  expect(reasonIn(await connections.send(connections.endpoint(server.port)).outcome)).toBe("reset");
});

test("bytes after an answer are not taken for the next one's", async () => {
  const poison = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned";
  await using server = await startRawServer((connection, index) => {
    connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${index === 0 ? poison : ""}`);
  });
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(server.port);
  for (let count = 0; count < 3; count += 1) {
    const { sink, outcome } = connections.send(endpoint);
    await outcome;
    expect(sink.body).toBe("ok");
  }
});

test("a slow receiver stops the upstream, and nothing is lost when it goes on", async () => {
  const size = 50 * 1024 * 1024;
  let sent = 0;
  await using server = await startRawServer(({ socket }) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    const chunk = Buffer.alloc(64 * 1024, "x");
    const pump = (): void => {
      while (sent < size) {
        sent += chunk.length;
        if (!socket.write(chunk)) {
          socket.once("drain", pump);
          return;
        }
      }
    };
    pump();
  });
  await using connections = new TestConnections();
  const sink = new CountingSink();
  const { outcome } = connections.send(connections.endpoint(server.port, { timeouts: { readMs: 100 } }), {}, sink);
  await eventually(() => sink.resume !== undefined);
  // Nothing is taken for longer than the read limit, which does not run meanwhile.
  const before = await settled(() => sent);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(sent).toBe(before);
  // What the kernel buffers of both sockets hold, far below the whole.
  expect(before).toBeLessThan(size / 2);
  expect(sink.received).toBeLessThan(1024 * 1024);
  sink.isSlow = false;
  sink.resume?.();
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
  expect(sink.received).toBe(size);
});

/** Counts bytes instead of keeping them; slow until told otherwise. */
class CountingSink extends RecordingSink {
  received = 0;
  override isSlow = true;

  override write(chunk: Uint8Array): boolean {
    this.received += chunk.length;
    return !this.isSlow;
  }
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
