import { type AddressInfo, createServer, type Socket } from "node:net";
import { eventually } from "@fngate/test-kit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { exchange, rawClient, requestText } from "../support/raw-client.ts";
import { valuesOf } from "../support/raw-response.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";

/** Larger than everything that may be kept in between: sockets' buffers, streams' and the gateway's. */
const LARGE_BYTES = 64 * 1024 * 1024;

const answer = (head: readonly string[], body = "") => `${head.join("\r\n")}\r\n\r\n${body}`;
const OK = answer(["HTTP/1.1 200 OK", "Content-Length: 2"], "ok");

describe.each(MODES)("a plain upstream's traffic (%s)", (mode) => {
  let gateway: Gateway;
  let upstream: Recorder;

  beforeAll(async () => {
    upstream = await startRecorder();
    gateway = await startGateway(mode);
    const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
    const patient = { uri: "/patient", upstream: { nodes, timeout: { connect: 5, send: 60, read: 60 } } };
    const impatient = { uri: "/impatient", upstream: { nodes, timeout: { connect: 5, send: 5, read: 0.3 } } };
    await gateway.route({ all: { uri: "/*", upstream: { nodes } }, patient, impatient });
  });
  beforeEach(() => upstream.reset());
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  describe("from the client", () => {
    it("keeps a declared length, and chunks stay chunks: nothing is read ahead of the call", async () => {
      await using client = await rawClient(gateway.port);
      client.send(requestText({ method: "POST", target: "/x", fields: ["Content-Length: 6"], body: "abc" }));
      await eventually(() => expect(upstream.received).toMatch(/content-length: 6\r\n(?:.+\r\n)*\r\nabc$/i));
      client.send("def");
      expect((await upstream.request()).body).toBe("abcdef");
      await client.until("ok");

      await using other = await rawClient(gateway.port);
      other.send(
        requestText({ method: "POST", target: "/x", fields: ["Transfer-Encoding: chunked"], body: "3\r\nabc\r\n" }),
      );
      await eventually(() => expect(upstream.received).toContain("abc\r\n"));
      other.send("0\r\n\r\n");
      const { body, fields } = await upstream.request(2);
      expect(body).toBe("abc");
      expect(valuesOf({ fields }, "transfer-encoding")).toEqual(["chunked"]);
      await other.until("ok");
    });

    it("asks for a body that waits for 100-continue only when the upstream is called", async () => {
      await using client = await rawClient(gateway.port);
      const fields = ["Content-Length: 2", "Expect: 100-continue"];
      client.send(requestText({ method: "POST", target: "/x", fields }));
      await client.until("HTTP/1.1 100 Continue\r\n\r\n");
      client.send("hi");
      await client.until("\r\n\r\nok");
      const { body, fields: sent } = await upstream.request();
      expect(body).toBe("hi");
      expect(valuesOf({ fields: sent }, "expect")).toEqual([]);

      await using refused = await rawClient(gateway.port);
      refused.send(requestText({ method: "POST", target: "/%00", fields }));
      expect(await refused.untilClosed()).toMatch(/^HTTP\/1\.1 400 /);
    });

    it("loses the fields of its connection, and no others", async () => {
      const fields = [
        ...["Connection: close, X-Mine", "X-Mine: 1", "Keep-Alive: 5", "TE: trailers", "Upgrade: foo"],
        ...[
          "Proxy-Connection: keep-alive",
          "Proxy-Authorization: p",
          "Trailer: X-T",
          "Accept-Encoding: gzip",
          "Via: 1.1 a",
        ],
      ];
      await exchange(gateway.port, { target: "/x", fields });
      const sent = await upstream.request();
      for (const name of ["connection", "x-mine", "keep-alive", "te", "upgrade", "proxy-connection", "x-request-id"]) {
        expect(valuesOf(sent, name)).toEqual([]);
      }
      for (const name of ["proxy-authorization", "trailer", "accept-encoding", "via"]) {
        expect(valuesOf(sent, name)).toHaveLength(1);
      }
    });

    it("is held back while the upstream does not read, and arrives whole when it does", async () => {
      await using reader = await startSlowReader();
      const nodes = { [`127.0.0.1:${reader.port}`]: 1 };
      await gateway.route({ slow: { uri: "/slow", upstream: { nodes } } });
      await using client = await rawClient(gateway.port);
      client.send(requestText({ method: "POST", target: "/slow", fields: [`Content-Length: ${LARGE_BYTES}`] }));
      const piece = "x".repeat(1024 * 1024);
      for (let sent = 0; sent < LARGE_BYTES; sent += piece.length) client.send(piece);
      let last = -1;
      await eventually(
        () => {
          const before = last;
          last = client.unsentBytes;
          expect(last).toBe(before);
        },
        { intervalMs: 200 },
      );
      expect(client.unsentBytes).toBeGreaterThan(LARGE_BYTES / 2);
      reader.read();
      await client.until("\r\n\r\nok", { deadlineMs: 30_000 });
      expect(reader.receivedBytes).toBeGreaterThan(LARGE_BYTES);
    });
  });

  describe("to the client", () => {
    it("comes piece by piece as the upstream sends it: server-sent events", async () => {
      let socket: Socket | undefined;
      upstream.answerWith((_, to) => {
        socket = to;
        to.write(answer(["HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked"]));
        to.write("9\r\ndata: 1\n\n\r\n");
      });
      await using client = await rawClient(gateway.port);
      client.send(requestText({ target: "/patient" }));
      await client.until("data: 1\n\n");
      socket?.write("9\r\ndata: 2\n\n\r\n");
      await client.until("data: 2\n\n");
      socket?.write("0\r\n\r\n");
      const all = await client.untilClosed();
      expect(all).toMatch(/content-type: text\/event-stream\r\n/i);
      expect(all.endsWith("0\r\n\r\n")).toBe(true);
    });

    it("carries status and reason, repeats and empty values, but nothing of the connection and nothing that steers", async () => {
      upstream.answerWith(
        answer([
          ...["HTTP/1.1 299 Made Up", "Content-Length: 0", "Set-Cookie: a=1", "Set-Cookie: b=2", "X-Empty:"],
          ...[
            "Connection: X-Gone, keep-alive",
            "X-Gone: 1",
            "Keep-Alive: timeout=5",
            "Upgrade: h2c",
            "Proxy-Connection: close",
          ],
          ...["X-Accel-Buffering: no", "X-Accel-Expires: 0", "X-Accel-Limit-Rate: 1", "X-Accel-Charset: x", "X-Pad: 1"],
          ...[
            "X-Accel-Redirect: /elsewhere",
            "Date: Mon, 01 Jan 2024 00:00:00 GMT",
            "Location: http://other/",
            "Server: up",
          ],
        ]),
      );
      const got = await exchange(gateway.port, { target: "/x" });
      expect(got.statusLine).toBe("HTTP/1.1 299 Made Up");
      expect(valuesOf(got, "set-cookie")).toEqual(["a=1", "b=2"]);
      expect(valuesOf(got, "x-empty")).toEqual([""]);
      expect(valuesOf(got, "date")).toEqual(["Mon, 01 Jan 2024 00:00:00 GMT"]);
      expect(valuesOf(got, "location")).toEqual(["http://other/"]);
      expect(valuesOf(got, "x-accel-redirect")).toEqual(["/elsewhere"]);
      expect(valuesOf(got, "content-type")).toEqual([]);
      expect(valuesOf(got, "server")[0]).toMatch(/^APISIX/);
      for (const name of ["x-gone", "keep-alive", "upgrade", "proxy-connection", "x-pad"]) {
        expect(valuesOf(got, name)).toEqual([]);
      }
      expect(got.fields.filter(([name]) => name.startsWith("x-accel-"))).toHaveLength(1);
    });

    it.each(["100 Continue", "102 Processing", "103 Early Hints"])("shows no interim %s", async (interim) => {
      upstream.answerWith(answer([`HTTP/1.1 ${interim}`, "Link: </a>"]) + OK);
      await using client = await rawClient(gateway.port);
      client.send(requestText({ target: "/x" }));
      const all = await client.untilClosed();
      expect(all).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(all.match(/HTTP\/1\.1/g)).toHaveLength(1);
      expect(all).not.toContain("Link");
    });

    it.each([
      { method: "HEAD", head: ["HTTP/1.1 200 OK", "Content-Length: 1000"], length: ["1000"] },
      { method: "GET", head: ["HTTP/1.1 204 No Content"], length: [] },
      { method: "GET", head: ["HTTP/1.1 304 Not Modified", 'ETag: "a"', "Content-Length: 1000"], length: ["1000"] },
    ])("has no body for $method with $head.0, and the connections are used again", async ({ head, length, method }) => {
      const before = upstream.connections;
      upstream.answerWith(answer(head));
      await using client = await rawClient(gateway.port);
      const fields = ["Connection: keep-alive"];
      client.send(requestText({ method, target: "/x", fields }));
      const first = await client.until("\r\n\r\n");
      expect(first.split("\r\n")[0]).toBe(head[0]);
      expect([...first.matchAll(/content-length: (\d+)/gi)].map(([, value]) => value)).toEqual(length);
      upstream.answerWith(OK);
      client.send(requestText({ target: "/x", fields }));
      await client.until("\r\n\r\nok");
      expect(upstream.connections - before).toBeLessThanOrEqual(1);
    });

    it("ends with the connection when the upstream gives neither length nor chunks", async () => {
      upstream.answerWith((_, socket) => {
        socket.end(answer(["HTTP/1.1 200 OK"], "until the end"));
      });
      expect((await exchange(gateway.port, { target: "/x" })).body).toBe("until the end");
    });

    it("goes to a client of HTTP/1.0 without chunks, and ends with the connection", async () => {
      upstream.answerWith(answer(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"], "2\r\nok\r\n0\r\n\r\n"));
      await using client = await rawClient(gateway.port);
      client.send("GET /x HTTP/1.0\r\nHost: a\r\n\r\n");
      const all = await client.untilClosed();
      expect(all).not.toMatch(/transfer-encoding/i);
      expect(all.endsWith("\r\n\r\nok")).toBe(true);
    });

    it("loses trailers, which only gRPC has", async () => {
      const head = ["HTTP/1.1 200 OK", "Trailer: X-T", "Transfer-Encoding: chunked"];
      upstream.answerWith(answer(head, "2\r\nok\r\n0\r\nX-T: 1\r\n\r\n"));
      await using client = await rawClient(gateway.port);
      client.send(requestText({ target: "/x" }));
      const all = await client.untilClosed();
      expect(all).not.toContain("X-T: 1");
      expect(all.endsWith("0\r\n\r\n")).toBe(true);
    });

    it.each([
      { what: "its declared length", head: ["HTTP/1.1 200 OK", "Content-Length: 10"], body: "half" },
      { what: "its last chunk", head: ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"], body: "4\r\nhalf\r\n" },
    ])("is cut off where the upstream breaks off before $what", async ({ body, head }) => {
      upstream.answerWith((_, socket) => void socket.end(answer(head, body)));
      await using client = await rawClient(gateway.port);
      client.send(requestText({ target: "/x", fields: ["Connection: keep-alive"] }));
      const all = await client.untilClosed();
      expect(all).toContain("half");
      expect(all).not.toMatch(/0\r\n\r\n$/);
    });

    it.each([
      ["no HTTP", "SSH-2.0-Open\r\n"],
      ["a head without end", `HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(200_000)}`],
      ["two lengths", answer(["HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 3"], "ok")],
    ])("is 502 with the reason for %s", async (_, bytes) => {
      upstream.answerWith(bytes);
      const got = await exchange(gateway.port, { target: "/x" });
      expect(got.status).toBe(502);
      expect(valuesOf(got, "x-apisix-upstream-status")).toEqual(["502"]);
      expect(JSON.parse(got.body)).toMatchObject({ reason: "bad-response" });
    });

    it("is 502 when the upstream hangs up, and 504 when it is silent", async () => {
      upstream.answerWith((_, socket) => void socket.destroy());
      expect(await exchange(gateway.port, { target: "/x" })).toMatchObject({
        status: 502,
        body: expect.stringContaining("reset"),
      });
      upstream.answerWith(() => {});
      const silent = await exchange(gateway.port, { target: "/impatient" });
      expect(silent).toMatchObject({ status: 504, body: expect.stringContaining("timeout") });
      expect(valuesOf(silent, "x-apisix-upstream-status")).toEqual(["504"]);
    });

    it("is wanted no more when the client has gone: the upstream's connection is closed", async () => {
      upstream.answerWith((_, socket) => {
        socket.write(answer(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"], "2\r\nok\r\n"));
      });
      const before = upstream.closedConnections;
      await using client = await rawClient(gateway.port);
      client.send(requestText({ target: "/patient" }));
      await client.until("ok");
      client.abort();
      await eventually(() => expect(upstream.closedConnections).toBe(before + 1));
    });
  });
});

/** A server that takes no byte of a request before it is told to, and answers when a large one is there. */
async function startSlowReader() {
  const sockets: Socket[] = [];
  let receivedBytes = 0;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      receivedBytes += chunk.length;
      if (receivedBytes > LARGE_BYTES) socket.end(OK);
    });
    socket.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get receivedBytes() {
      return receivedBytes;
    },
    read: () => {
      for (const socket of sockets) socket.resume();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
