import { type EventEmitter, once } from "node:events";
import {
  type ClientHttp2Session,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from "node:http2";
import { connect as connectPlain } from "node:net";
import { text } from "node:stream/consumers";
import { createCertificates, type EchoUpstream, eventually, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, test } from "vitest";
import type { DataPlaneOptions } from "../options.ts";
import { type RunningPlane, startPlane } from "../testing/running-plane.ts";

const LISTEN = [{ host: "127.0.0.1", port: 0, isHttp2Enabled: true }];

interface Http2Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Absent: the stream ended well. */
  readonly reset: number | undefined;
}

/** A plane that speaks HTTP/2, a client on one connection to it, and an upstream behind `/*`. */
class Bench implements AsyncDisposable {
  readonly plane: RunningPlane;
  readonly upstream: EchoUpstream;
  readonly client: ClientHttp2Session;

  constructor(plane: RunningPlane, upstream: EchoUpstream) {
    this.plane = plane;
    this.upstream = upstream;
    this.client = connect(`http://127.0.0.1:${plane.portOf()}`);
    this.client.on("error", () => {});
  }

  async ask(headers: OutgoingHttpHeaders, body?: string): Promise<Http2Answer> {
    const stream = this.client.request({ ":authority": "a.test", ...headers }, { endStream: body === undefined });
    let reset: number | undefined;
    stream.on("error", () => {
      reset = stream.rstCode;
    });
    let answer: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
    stream.on("response", (fields) => {
      answer = fields;
    });
    if (body !== undefined) stream.end(body);
    const received = await text(stream).catch(() => "");
    if (!stream.closed) await once(stream, "close").catch(() => {});
    return { status: answer[":status"], headers: answer, body: received, reset };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.destroy();
    await this.plane[Symbol.asyncDispose]();
    await this.upstream[Symbol.asyncDispose]();
  }
}

/** Resolves when it is closed, well or not. */
function closeOf(emitter: EventEmitter): Promise<void> {
  return new Promise((resolve) => emitter.once("close", () => resolve()));
}

type Reply = NonNullable<Parameters<typeof startEchoUpstream>[0]>["reply"];

async function startBench(options: Omit<Partial<DataPlaneOptions>, "store"> = {}, reply?: Reply): Promise<Bench> {
  const upstream = await startEchoUpstream(reply === undefined ? {} : { reply });
  const plane = await startPlane({ listen: LISTEN, ...options });
  await plane.put("routes/all", { uri: "/*", upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } });
  return new Bench(plane, upstream);
}

describe("one port for both versions", () => {
  test("HTTP/2 by prior knowledge and HTTP/1.1 are served on the same port, and an upgrade to h2c is ignored", async () => {
    await using bench = await startBench();
    expect((await bench.ask({ ":path": "/two" })).status).toBe(200);
    expect((await bench.plane.send("/one")).status).toBe(200);
    const headers = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABk" };
    expect((await bench.plane.send("/one", { headers })).status).toBe(200);
  });

  test("a preface that comes byte by byte is recognised, and what only begins like one is HTTP/1", async () => {
    await using bench = await startBench({ clientLimits: { headerTimeoutMs: 2_000 } });
    const socket = connectPlain(bench.plane.portOf(), "127.0.0.1");
    socket.setNoDelay(true);
    for (const byte of "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") {
      socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [settings] = await once(socket, "data");
    expect((settings as Buffer)[3]).toBe(4);
    socket.destroy();
    expect(await bench.plane.raw("PROPFIND / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).toContain(
      "HTTP/1.1 200",
    );
    expect(await bench.plane.raw("PRI * HTTP/2.0\r\n\r\nxx")).toMatch(/^HTTP\/1.1 400/);
  });

  test("a connection that says nothing gets 408 after the header timeout", async () => {
    await using bench = await startBench({ clientLimits: { headerTimeoutMs: 100 } });
    expect(await bench.plane.raw("")).toMatch(/^HTTP\/1.1 408/);
  });

  test("over TLS the version is agreed on in the handshake", async () => {
    const { server } = await createCertificates({ names: ["a.test"] });
    const listen = [{ host: "127.0.0.1", port: 0, isTls: true, isHttp2Enabled: true }];
    await using plane = await startPlane({
      listen,
      accessLogTemplate: "$http2 $server_protocol $scheme $ssl_alpn_protocol",
    });
    await plane.put("ssls/1", { sni: "a.test", cert: server.cert, key: server.key });
    const origin = `https://127.0.0.1:${plane.portOf("https")}`;
    const client = connect(origin, { servername: "a.test", rejectUnauthorized: false });
    const stream = client.request({ ":path": "/", ":authority": "a.test" });
    const [answer] = await once(stream, "response");
    expect(answer[":status"]).toBe(404);
    await text(stream);
    client.destroy();
    await eventually(() => expect(plane.accessLog.join("")).toBe("h2 HTTP/2.0 https h2\n"));
  });
});

describe("requests", () => {
  test("the authority becomes the Host, cookies one field, and the rest arrives as it was sent", async () => {
    await using bench = await startBench();
    await bench.ask({
      ":path": "/x?y=1",
      ":authority": "A.test:80",
      cookie: ["a=1", "b=2"],
      "x-a": "1",
      te: "trailers",
    });
    const [request] = bench.upstream.requests;
    expect(request?.url).toBe("/x?y=1");
    expect(request?.headers).toMatchObject({
      host: "A.test:80",
      cookie: "a=1; b=2",
      "x-a": "1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "A.test:80",
      "x-forwarded-port": "80",
    });
    expect(request?.headers).not.toHaveProperty("te");
  });

  test.each([
    { title: "an authority and a Host that differ", headers: { host: "b.test" } },
    { title: "a method that HTTP/1 does not know", headers: { ":method": "NONSENSE" } },
    { title: "a path that climbs above the root", headers: { ":path": "/../x" } },
    { title: "a field over 8 KiB", headers: { "x-long": "a".repeat(9_000) } },
    {
      title: "a head over the limit",
      headers: Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`x-${n}`, "a".repeat(8_000)])),
    },
  ])("$title is answered with 400 and reaches no upstream", async ({ headers }) => {
    await using bench = await startBench();
    const { status, reset } = await bench.ask({ ":path": "/", ...headers });
    expect(status ?? reset).toBe(400);
    expect(bench.upstream.requests).toEqual([]);
    expect((await bench.ask({ ":path": "/still-open" })).status).toBe(200);
  });

  test("a body streams to the upstream, with its length when it is known and chunked when not", async () => {
    await using bench = await startBench();
    await bench.ask({ ":path": "/", ":method": "POST", "content-length": 5 }, "hello");
    await bench.ask({ ":path": "/", ":method": "POST" }, "world");
    const [known, unknown] = bench.upstream.requests;
    expect(known).toMatchObject({ body: Buffer.from("hello"), headers: { "content-length": "5" } });
    expect(unknown).toMatchObject({ body: Buffer.from("world"), headers: { "transfer-encoding": "chunked" } });
  });

  test("a body that is not as long as it says ends its stream and not the connection", async () => {
    await using bench = await startBench();
    const { reset } = await bench.ask({ ":path": "/", ":method": "POST", "content-length": 50 }, "hello");
    expect(reset).toBe(constants.NGHTTP2_PROTOCOL_ERROR);
    expect((await bench.ask({ ":path": "/" })).status).toBe(200);
  });

  test("a client that waits for it is told to go on with its body, and only when somebody wants it", async () => {
    await using bench = await startBench();
    const stream = bench.client.request({ ":path": "/", ":method": "POST", ":authority": "a", expect: "100-continue" });
    const [informed] = await once(stream, "headers");
    expect(informed[":status"]).toBe(100);
    stream.end("body");
    const [answer] = await once(stream, "response");
    expect(answer[":status"]).toBe(200);
    await text(stream);
  });

  test("a body over the limit is answered with 413, declared or not", async () => {
    await using bench = await startBench({ clientLimits: { maxBodyBytes: 4 } });
    const declared = await bench.ask({ ":path": "/", ":method": "POST", "content-length": 5 }, "hello");
    const streamed = await bench.ask({ ":path": "/", ":method": "POST" }, "hello");
    expect([declared.status, streamed.status]).toEqual([413, 413]);
    expect((await bench.ask({ ":path": "/" })).status).toBe(200);
  });
});

describe("answers", () => {
  test("fields of a connection stay behind, names are lower case, and repeated ones stay apart", async () => {
    const headers = { "X-Up": "1", Connection: "close, X-Drop", "X-Drop": "1", "Set-Cookie": ["a=1", "b=2"] };
    await using bench = await startBench({}, () => ({ body: "ok", headers }));
    const answer = await bench.ask({ ":path": "/" });
    expect(answer).toMatchObject({ status: 200, body: "ok" });
    expect(answer.headers).toMatchObject({ "x-up": "1", "set-cookie": ["a=1", "b=2"], server: "APISIX/3.18.0" });
    for (const name of ["connection", "x-drop", "transfer-encoding", "keep-alive"]) {
      expect(answer.headers).not.toHaveProperty(name);
    }
  });

  test.each([
    { title: "HEAD", headers: { ":method": "HEAD" }, status: 200 },
    { title: "a 204", headers: {}, status: 204 },
    { title: "a 304", headers: {}, status: 304 },
  ])("$title has a head and no body", async ({ headers, status }) => {
    await using bench = await startBench({}, () => ({ status, body: status === 200 ? "body" : "" }));
    expect(await bench.ask({ ":path": "/", ...headers })).toMatchObject({ status, body: "" });
    expect((await bench.ask({ ":path": "/again", ...headers })).status).toBe(status);
  });

  test("a large answer arrives whole at a client that reads slowly, and is not read ahead of it", async () => {
    const size = 8 * 1024 * 1024;
    await using bench = await startBench({}, () => ({ body: Buffer.alloc(size, "x") }));
    const stream = bench.client.request({ ":path": "/", ":authority": "a" });
    await once(stream, "response");
    let received = 0;
    for await (const chunk of stream) {
      received += (chunk as Buffer).length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(received).toBe(size);
  });

  test("a client that resets its stream ends the request to the upstream, and is logged as gone", async () => {
    const held = Promise.withResolvers<void>();
    await using bench = await startBench({}, async () => {
      await held.promise;
      return { body: "late" };
    });
    const stream = bench.client.request({ ":path": "/", ":authority": "a" });
    stream.on("error", () => {});
    await eventually(() => expect(bench.upstream.requests).toHaveLength(1));
    stream.close(constants.NGHTTP2_CANCEL);
    await eventually(() => expect(bench.plane.accessLog.join("")).toMatch(/" 499 /));
    held.resolve();
  });
});

describe("limits", () => {
  test("extended CONNECT and plain CONNECT are refused", async () => {
    await using bench = await startBench();
    expect(bench.client.remoteSettings.enableConnectProtocol ?? false).toBe(false);
    const plain = bench.client.request({ ":method": "CONNECT", ":authority": "a:1" });
    const [answer] = await once(plain, "response");
    expect(answer[":status"]).toBe(405);
    await text(plain);
    const { reset } = await bench.ask({
      ":path": "/",
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":scheme": "http",
    });
    expect(reset).toBe(constants.NGHTTP2_PROTOCOL_ERROR);
  });

  test("no more streams than announced are open at once", async () => {
    await using bench = await startBench();
    await bench.ask({ ":path": "/" });
    expect(bench.client.remoteSettings.maxConcurrentStreams).toBe(128);
  });

  test("a client that opens streams only to cancel them loses its connection", async () => {
    await using bench = await startBench();
    const closed = closeOf(bench.client);
    for (let count = 0; count < 2_000 && !bench.client.destroyed; count += 1) {
      const stream = bench.client.request({ ":path": "/", ":authority": "a" });
      stream.on("error", () => {});
      stream.close(constants.NGHTTP2_CANCEL);
      if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
    expect((await bench.plane.send("/")).status).toBe(200);
  });

  test("a connection is given up after a thousand requests, and none of them is lost", async () => {
    await using bench = await startBench();
    const gone = closeOf(bench.client);
    let statuses: (number | undefined)[] = [];
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => bench.ask({ ":path": "/" })));
      statuses = [...statuses, ...answers.map(({ status }) => status)];
    }
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    await gone;
  });

  test("an idle connection is closed after its time", async () => {
    await using bench = await startBench({ clientLimits: { keepAliveTimeoutMs: 300 } });
    await bench.ask({ ":path": "/" });
    await once(bench.client, "close");
  });

  test("an upload that stalls gets 408, and a client that stops reading loses its stream", async () => {
    const body = Buffer.alloc(1024 * 1024, "x");
    await using bench = await startBench({ clientLimits: { bodyTimeoutMs: 300 } }, () => ({ body }));
    const upload = bench.client.request({ ":path": "/", ":method": "POST", ":authority": "a" });
    upload.on("error", () => {});
    upload.write("begun");
    const [answer] = await once(upload, "response");
    expect(answer[":status"]).toBe(408);
    const download = bench.client.request({ ":path": "/", ":authority": "a" });
    download.on("error", () => {});
    await once(download, "response");
    await closeOf(download);
    expect(download.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  });
});

describe("stopping", () => {
  test("requests under way end well, new ones go elsewhere, and idle connections close", async () => {
    const held = Promise.withResolvers<void>();
    await using bench = await startBench({}, async () => {
      await held.promise;
      return { body: "done" };
    });
    const running = bench.ask({ ":path": "/" });
    await eventually(() => expect(bench.upstream.requests).toHaveLength(1));
    const goaway = once(bench.client, "goaway");
    const stopped = bench.plane.stop(20_000);
    await goaway;
    held.resolve();
    expect(await running).toMatchObject({ status: 200, body: "done" });
    await stopped;
  });
});
