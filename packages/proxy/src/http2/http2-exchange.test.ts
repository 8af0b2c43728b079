import {
  constants,
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Endpoint, TargetTls } from "@fngate/kernel";
import { createCertificates, type KeyPair } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { RecordingSink, reasonIn, TestConnections, targetOf } from "../testing/exchange-fixture.ts";
import { startRawServer, unusedPort } from "../testing/raw-server.ts";

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** An HTTP/2 server and what it has seen. */
class H2Server implements AsyncDisposable {
  readonly heads: IncomingHttpHeaders[] = [];
  readonly sessions = new Set<ServerHttp2Session>();
  readonly #server: Http2Server;

  constructor(handler: Handler, tls?: KeyPair) {
    this.#server = tls === undefined ? createServer() : createSecureServer(tls);
    this.#server.on("session", (session) => {
      this.sessions.add(session);
      session.on("error", () => undefined);
      session.once("close", () => this.sessions.delete(session));
    });
    this.#server.on("stream", (stream, headers) => {
      this.heads.push(headers);
      stream.on("error", () => undefined);
      handler(stream, headers);
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Sends the body back and says in the trailers that all is well. */
const echo: Handler = (stream) => {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "fine" }));
  stream.pipe(stream);
};

/** A sink that keeps trailers too. */
class TrailerSink extends RecordingSink {
  fields: readonly string[] = [];

  trailers(fields: readonly string[]): void {
    this.fields = fields;
  }
}

interface Overrides {
  readonly tls?: TargetTls;
  readonly readMs?: number;
  readonly sendMs?: number;
  readonly maxRequests?: number;
}

function endpointAt(
  connections: TestConnections,
  port: number,
  { tls, readMs, sendMs, maxRequests }: Overrides = {},
): Endpoint {
  const target = targetOf(port, {
    ...(tls === undefined ? {} : { tls, scheme: "https" as const }),
    timeouts: { ...(readMs && { readMs }), ...(sendMs && { sendMs }) },
    ...(maxRequests === undefined ? {} : { keepalive: { maxRequests } }),
  });
  return connections.manager.acquire({ ...target, version: "2" });
}

const CALL = {
  method: "POST",
  target: "/echo.Echo/Call",
  headers: ["host", "echo.test", "Content-Type", "application/grpc"],
};

test("a call goes out with its fields as HTTP/2 has them, and body and trailers come back", async () => {
  await using server = await new H2Server(echo).listen();
  await using connections = new TestConnections();
  const sink = new TrailerSink();
  const body = { kind: "bytes", bytes: Buffer.from("hello") } as const;
  const headers = [...CALL.headers, "Connection", "close", "TE", "gzip"];
  const { outcome } = connections.send(endpointAt(connections, server.port), { ...CALL, headers, body }, sink);
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
  expect(sink).toMatchObject({ status: 200, body: "hello", isEnded: true });
  expect(sink.headers).toContain("application/grpc");
  expect(sink.fields).toEqual(["grpc-status", "0", "grpc-message", "fine"]);
  expect(server.heads[0]).toMatchObject({
    ":method": "POST",
    ":path": "/echo.Echo/Call",
    ":authority": "echo.test",
    ":scheme": "http",
    te: "trailers",
    "content-length": "5",
  });
  expect(server.heads[0]).not.toHaveProperty("connection");
});

test("both directions flow at once", async () => {
  await using server = await new H2Server(echo).listen();
  await using connections = new TestConnections();
  const stream = new PassThrough();
  const sink = new TrailerSink();
  const body = { kind: "stream", stream, lengthBytes: undefined } as const;
  const { outcome } = connections.send(endpointAt(connections, server.port), { ...CALL, body }, sink);
  stream.write("one");
  await expect.poll(() => sink.body).toBe("one");
  stream.end("two");
  expect((await outcome).kind).toBe("responded");
  expect(sink.body).toBe("onetwo");
});

test("a large body passes at the slower side's pace", async () => {
  await using server = await new H2Server(echo).listen();
  await using connections = new TestConnections();
  const sink = new TrailerSink();
  sink.isSlow = true;
  const size = 3_000_000;
  const stream = Readable.from(Array.from({ length: 30 }, () => Buffer.alloc(size / 30, 1)));
  const body = { kind: "stream", stream, lengthBytes: undefined } as const;
  const { outcome } = connections.send(endpointAt(connections, server.port), { ...CALL, body }, sink);
  await expect.poll(() => sink.resume).toBeDefined();
  expect(sink.sizeBytes).toBeLessThan(size);
  sink.isSlow = false;
  sink.resume?.();
  expect((await outcome).kind).toBe("responded");
  expect(sink.sizeBytes).toBe(size);
});

test("an answer that is all head gives its gRPC status and metadata as trailers", async () => {
  const refuse: Handler = (stream) => {
    const head = { ":status": 200, "content-type": "application/grpc", "grpc-status": "12", "grpc-message": "no" };
    stream.respond({ ...head, "x-why": "so" }, { endStream: true });
  };
  await using server = await new H2Server(refuse).listen();
  await using connections = new TestConnections();
  const sink = new TrailerSink();
  const { outcome } = connections.send(endpointAt(connections, server.port), CALL, sink);
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
  expect(sink.headers).not.toContain("grpc-status");
  expect(sink.headers).toContain("application/grpc");
  expect(sink.fields).toEqual(["grpc-status", "12", "grpc-message", "no", "x-why", "so"]);
});

test("an answer that is all head and not gRPC's keeps its fields there", async () => {
  const moved: Handler = (stream) => stream.respond({ ":status": 302, location: "/there" }, { endStream: true });
  await using server = await new H2Server(moved).listen();
  await using connections = new TestConnections();
  const sink = new TrailerSink();
  const { outcome } = connections.send(endpointAt(connections, server.port), CALL, sink);
  expect(await outcome).toEqual({ kind: "responded", status: 302 });
  expect(sink.headers).toContain("location");
  expect(sink.fields).toEqual([]);
});

test("calls at the same time share a connection, and a worn-out one is replaced", async () => {
  await using server = await new H2Server(echo).listen();
  await using connections = new TestConnections();
  const endpoint = endpointAt(connections, server.port, { maxRequests: 5 });
  const call = () => connections.send(endpoint, { ...CALL, body: { kind: "bytes", bytes: Buffer.from("x") } }).outcome;
  await Promise.all([call(), call(), call(), call()]);
  expect(server.sessions.size).toBe(1);
  expect(connections.manager.stats).toEqual({ pools: 1, open: 1, idle: 1 });
  await Promise.all([call(), call()]);
  expect(server.heads).toHaveLength(6);
  await expect.poll(() => server.sessions.size).toBe(1);
});

test("what the last user gave up is closed", async () => {
  await using server = await new H2Server(echo).listen();
  await using connections = new TestConnections();
  const endpoint = endpointAt(connections, server.port);
  await connections.send(endpoint, CALL).outcome;
  endpoint.release();
  await expect.poll(() => server.sessions.size).toBe(0);
});

test("TLS speaks h2, checked when asked for", async () => {
  const certificates = await createCertificates();
  const seen: (string | false | null | undefined)[] = [];
  const handler: Handler = (stream, headers) => {
    seen.push(stream.session?.alpnProtocol);
    echo(stream, headers);
  };
  await using server = await new H2Server(handler, certificates.server).listen();
  await using trusting = new TestConnections({ caCertificates: [certificates.ca] });
  await using doubting = new TestConnections();
  const tls = { verify: true, serverName: "localhost" };
  expect(await trusting.send(endpointAt(trusting, server.port, { tls }), CALL).outcome).toMatchObject({ status: 200 });
  expect(reasonIn(await doubting.send(endpointAt(doubting, server.port, { tls }), CALL).outcome)).toBe("tls");
  expect(seen).toEqual(["h2"]);
});

test("nobody listening is a refusal of something that was not sent", async () => {
  await using connections = new TestConnections();
  const outcome = await connections.send(endpointAt(connections, await unusedPort()), CALL).outcome;
  expect(outcome).toMatchObject({ kind: "failed", failure: { reason: "refused", isUnsent: true } });
});

test("a server that speaks something else broke the connection", async () => {
  await using server = await startRawServer(({ socket }) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await using connections = new TestConnections();
  expect(reasonIn(await connections.send(endpointAt(connections, server.port), CALL).outcome)).toBe("reset");
});

test.each([
  { code: constants.NGHTTP2_REFUSED_STREAM, isUnsent: true },
  { code: constants.NGHTTP2_INTERNAL_ERROR, isUnsent: false },
])("a stream reset with code $code failed, unsent: $isUnsent", async ({ code, isUnsent }) => {
  await using server = await new H2Server((stream) => stream.close(code)).listen();
  await using connections = new TestConnections();
  const outcome = await connections.send(endpointAt(connections, server.port), CALL).outcome;
  expect(outcome).toMatchObject({ kind: "failed", failure: { reason: "reset", isUnsent } });
});

test.each<{ what: string; breakOff: (stream: ServerHttp2Stream) => void }>([
  { what: "stream", breakOff: (stream) => stream.destroy(new Error("broken")) },
  { what: "connection", breakOff: (stream) => stream.session?.destroy() },
])("an answer whose $what breaks off is truncated", async ({ breakOff }) => {
  const breaking: Handler = (stream) => {
    stream.respond({ ":status": 200 });
    stream.write("half", () => breakOff(stream));
  };
  await using server = await new H2Server(breaking).listen();
  await using connections = new TestConnections();
  expect(await connections.send(endpointAt(connections, server.port), CALL).outcome).toMatchObject({
    kind: "truncated",
    status: 200,
  });
});

test.each([
  { what: "in memory", body: { kind: "bytes", bytes: Buffer.from("hello") } as const },
  {
    what: "that streams",
    body: { kind: "stream", stream: Readable.from([Buffer.from("hel"), Buffer.from("lo")]), lengthBytes: 5 } as const,
  },
])("names, values and a body $what are counted both ways, with trailers", async ({ body }) => {
  await using server = await new H2Server(echo).listen();
  await using connections = new TestConnections();
  const counts = { sent: 0, received: 0 };
  const trace = {
    onConnected: () => undefined,
    onSent: (bytes: number) => {
      counts.sent += bytes;
    },
    onReceived: (bytes: number) => {
      counts.received += bytes;
    },
  };
  const sink = new TrailerSink();
  const { outcome } = connections.send(endpointAt(connections, server.port), { ...CALL, body, trace }, sink);
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
  const sent = Object.entries(server.heads[0] ?? {}).flatMap(([name, value]) => [name, String(value)]);
  expect(counts.sent).toBe(sent.join("").length + "hello".length);
  const received = [":status", "200", ...sink.headers, "hello", ...sink.fields];
  expect(counts.received).toBe(received.join("").length);
});

test("silence times out", async () => {
  await using server = await new H2Server(() => undefined).listen();
  await using connections = new TestConnections();
  const endpoint = endpointAt(connections, server.port, { readMs: 50 });
  expect(reasonIn(await connections.send(endpoint, CALL).outcome)).toBe("timeout");
});

test("an upstream that takes no data times out after the limit for sending", async () => {
  await using server = await new H2Server((stream) => stream.pause()).listen();
  await using connections = new TestConnections();
  const endpoint = endpointAt(connections, server.port, { sendMs: 150, readMs: 60_000 });
  const stream = Readable.from(Array.from({ length: 512 }, () => Buffer.alloc(16 * 1024)));
  const body = { kind: "stream", stream, lengthBytes: undefined } as const;
  const { outcome } = connections.send(endpoint, { ...CALL, body });
  expect(await outcome).toMatchObject({ kind: "failed", failure: { reason: "timeout", isUnsent: false } });
});

test("a client that sends slowly does not make the upstream time out, nor does an answer that takes longer", async () => {
  const slow: Handler = (stream) => {
    stream.resume();
    stream.once("end", () => setTimeout(() => stream.respond({ ":status": 200 }, { endStream: true }), 200));
  };
  await using server = await new H2Server(slow).listen();
  await using connections = new TestConnections();
  const endpoint = endpointAt(connections, server.port, { sendMs: 50 });
  const stream = new PassThrough();
  const body = { kind: "stream", stream, lengthBytes: undefined } as const;
  const { outcome } = connections.send(endpoint, { ...CALL, body });
  stream.write("first");
  await delay(200);
  stream.end("later");
  expect(await outcome).toEqual({ kind: "responded", status: 200 });
});

test("a cancelled call ends its stream and leaves the connection to the others", async () => {
  const codes: number[] = [];
  const holding: Handler = (stream) => stream.once("close", () => codes.push(stream.rstCode ?? -1));
  await using server = await new H2Server(holding).listen();
  await using connections = new TestConnections();
  const { exchange, outcome } = connections.send(endpointAt(connections, server.port), CALL);
  await expect.poll(() => server.heads.length).toBe(1);
  exchange.cancel();
  expect(await outcome).toEqual({ kind: "cancelled" });
  await expect.poll(() => codes).toEqual([constants.NGHTTP2_CANCEL]);
  expect(server.sessions.size).toBe(1);
});

test("a client that breaks off its body is told from a failing upstream", async () => {
  await using server = await new H2Server(() => undefined).listen();
  await using connections = new TestConnections();
  const stream = new PassThrough();
  const body = { kind: "stream", stream, lengthBytes: undefined } as const;
  const { outcome } = connections.send(endpointAt(connections, server.port), { ...CALL, body });
  stream.write("some");
  await expect.poll(() => server.heads.length).toBe(1);
  stream.destroy(new Error("gone"));
  expect(reasonIn(await outcome)).toBe("request-body");
});
