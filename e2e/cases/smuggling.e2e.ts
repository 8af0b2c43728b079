import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { rawClient } from "../support/raw-client.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";

/** A request that must only ever be bytes of another one's body. */
const SMUGGLED = "GET /function/smuggled HTTP/1.1\r\nHost: gateway.test\r\n\r\n";

const lines = (...texts: readonly string[]) => `${texts.join("\r\n")}\r\n\r\n`;
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

/** Requests whose end two readers could see in different places; each has to be refused. */
const AMBIGUOUS: readonly (readonly [name: string, bytes: string])[] = [
  [
    "both Content-Length and Transfer-Encoding",
    lines("POST /function/1 HTTP/1.1", "Host: h", "Content-Length: 4", "Transfer-Encoding: chunked") + chunk(SMUGGLED),
  ],
  [
    "Transfer-Encoding before Content-Length",
    lines("POST /function/1 HTTP/1.1", "Host: h", "Transfer-Encoding: chunked", "Content-Length: 4") + chunk(SMUGGLED),
  ],
  [
    "two different Content-Length",
    lines("POST /function/1 HTTP/1.1", "Host: h", "Content-Length: 0", `Content-Length: ${SMUGGLED.length}`) + SMUGGLED,
  ],
  [
    "a list as Content-Length",
    lines("POST /function/1 HTTP/1.1", "Host: h", `Content-Length: 0, ${SMUGGLED.length}`) + SMUGGLED,
  ],
  ["a signed Content-Length", `${lines("POST /function/1 HTTP/1.1", "Host: h", "Content-Length: +5")}hello`],
  [
    "a folded Transfer-Encoding",
    lines("POST /function/1 HTTP/1.1", "Host: h", "Content-Length: 4", "Transfer-Encoding:", " chunked") +
      chunk(SMUGGLED),
  ],
  ["a folded field", lines("GET /function/1 HTTP/1.1", "Host: h", "X-A: 1", " X-B: 2")],
  [
    "a blank before the colon",
    lines("POST /function/1 HTTP/1.1", "Host: h", "Content-Length : 4", "Content-Length: 0") + SMUGGLED,
  ],
  [
    "an unknown transfer coding",
    lines("POST /function/1 HTTP/1.1", "Host: h", "Transfer-Encoding: xchunked") + chunk(SMUGGLED),
  ],
  [
    "a coding after chunked",
    lines("POST /function/1 HTTP/1.1", "Host: h", "Transfer-Encoding: chunked, gzip") + chunk(SMUGGLED),
  ],
  [
    "a chunk size that is no number",
    `${lines("POST /function/1 HTTP/1.1", "Host: h", "Transfer-Encoding: chunked")}5x\r\nhello\r\n0\r\n\r\n`,
  ],
  ["two Host fields", lines("GET /function/1 HTTP/1.1", "Host: a", "Host: b")],
  ["no Host", lines("GET /function/1 HTTP/1.1", "X-A: 1")],
  ["a bare CR in a field", lines("GET /function/1 HTTP/1.1", "Host: h", "X-A: 1\rX-B: 2")],
  ["a NUL in a field", lines("GET /function/1 HTTP/1.1", "Host: h", "X-A: 1\u00002")],
];

const ROUTES = ["function", "upstream"] as const;

describe.each(MODES)("a request that hides another (%s)", (mode) => {
  let gateway: Gateway;
  let recorder: Recorder;

  beforeAll(async () => {
    recorder = await startRecorder();
    gateway = await startGateway(mode);
    await gateway.route({
      function: {
        uri: "/function/*",
        plugins: { openfunction: { function_uri: `http://127.0.0.1:${recorder.port}/function` } },
      },
      upstream: { uri: "/upstream/*", upstream: { type: "roundrobin", nodes: { [`127.0.0.1:${recorder.port}`]: 1 } } },
      tunnel: {
        uri: "/tunnel/*",
        enable_websocket: true,
        upstream: { type: "roundrobin", nodes: { [`127.0.0.1:${recorder.port}`]: 1 } },
      },
    });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await recorder[Symbol.asyncDispose]();
  });
  beforeEach(() => recorder.reset());

  const paths = () => recorder.requests.map((request) => request.requestLine.split(" ")[1]?.replace(/\?$/, ""));

  describe.each(ROUTES)("to a %s", (route) => {
    const forRoute = (bytes: string) => bytes.replaceAll("/function/", `/${route}/`);

    it.each(AMBIGUOUS)("by %s is refused, connection and all", async (_, bytes) => {
      await using client = await rawClient(gateway.port);
      client.send(forRoute(bytes));
      const answer = await client.untilClosed();
      expect(answer).toMatch(/^HTTP\/1\.1 (400|501) /);
      expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
      expect(paths()).not.toContain(`/${route}/smuggled`);
    });

    it.each(["DELETE", "OPTIONS", "GET", "POST"])("in the chunked body of a %s stays a body", async (method) => {
      await using client = await rawClient(gateway.port);
      const head = lines(`${method} /function/outer HTTP/1.1`, "Host: h", "Transfer-Encoding: chunked");
      const last = lines("GET /function/last HTTP/1.1", "Host: h", "Connection: close");
      client.send(forRoute(head + chunk(SMUGGLED) + last));
      const answers = await client.untilClosed();
      expect(answers.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
      expect(paths()).toEqual([`/${route}/outer`, `/${route}/last`]);
      expect(recorder.requests.map((request) => request.body)).toEqual([forRoute(SMUGGLED), ""]);
    });

    it.each(["DELETE", "GET"])("in the sized body of a %s stays a body", async (method) => {
      await using client = await rawClient(gateway.port);
      const text = forRoute(SMUGGLED);
      const head = lines(
        `${method} /${route}/outer HTTP/1.1`,
        "Host: h",
        `Content-Length: ${text.length}`,
        "Connection: close",
      );
      client.send(head + text);
      await client.untilClosed();
      expect(paths()).toEqual([`/${route}/outer`]);
      expect(recorder.requests[0]?.body).toBe(text);
    });

    it("behind an answer that came early is never run as a request of somebody else", async () => {
      recorder.answerWith("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
      await using client = await rawClient(gateway.port);
      client.send(
        forRoute(
          lines("POST /function/outer HTTP/1.1", "Host: h", `Content-Length: ${SMUGGLED.length + 10}`) + SMUGGLED,
        ),
      );
      client.abort();
      await using next = await rawClient(gateway.port);
      next.send(forRoute(lines("GET /function/next HTTP/1.1", "Host: h", "Connection: close")));
      await next.untilClosed();
      expect(paths()).not.toContain(`/${route}/smuggled`);
      expect(paths()).toContain(`/${route}/next`);
    });
  });

  it.each([
    ["a sized body", `Content-Length: ${SMUGGLED.length}`, SMUGGLED],
    ["a chunked body", "Transfer-Encoding: chunked", chunk(SMUGGLED)],
  ])("in an upgrade with %s opens no tunnel for it", async (_, framing, body) => {
    await using client = await rawClient(gateway.port);
    const upgrade = ["Connection: Upgrade, close", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    client.send(lines("GET /tunnel/outer HTTP/1.1", "Host: h", ...upgrade, key, framing) + body);
    await client.untilClosed();
    expect(paths()).toEqual(["/tunnel/outer"]);
    expect(recorder.requests[0]?.body).toBe(SMUGGLED);
  });

  it("behind an upgrade that the upstream declines is not run by it", async () => {
    await using client = await rawClient(gateway.port);
    const upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    client.send(lines("GET /tunnel/outer HTTP/1.1", "Host: h", ...upgrade, key) + SMUGGLED);
    await client.until("HTTP/1.1 ");
    client.end();
    await client.untilClosed();
    expect(paths()).toContain("/tunnel/outer");
    expect(paths()).not.toContain("/function/smuggled");
  });
});
