import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { exchange, rawClient, requestText } from "../support/raw-client.ts";
import { valuesOf } from "../support/raw-response.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";

describe.each(MODES)("what a function receives (%s)", (mode) => {
  let gateway: Gateway;
  let recorder: Recorder;

  beforeAll(async () => {
    recorder = await startRecorder();
    gateway = await startGateway(mode);
    const uri = `http://127.0.0.1:${recorder.port}`;
    await gateway.route({
      open: { uri: "/open/*", plugins: { openfunction: { function_uri: `${uri}/fn` } } },
      token: {
        uri: "/token/*",
        plugins: { openfunction: { function_uri: `${uri}/fn`, authorization: { service_token: "test:test" } } },
      },
      name: {
        uri: "/hello/*",
        plugins: {
          openfunction: {
            function_uri: `http://LOCALHOST:${recorder.port}/default/function-sample?k=1`,
            authorization: { service_token: "test:test" },
          },
        },
      },
      small: { uri: "/small", plugins: { openfunction: { function_uri: `${uri}/fn`, max_req_body_size: 10 } } },
    });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await recorder[Symbol.asyncDispose]();
  });
  beforeEach(() => recorder.reset());

  async function fieldsSent(target: string, fields: readonly string[]) {
    await exchange(gateway.port, { target, fields });
    return recorder.request();
  }

  it("is the exchange that the documentation walks through", async () => {
    recorder.answerWith(
      [
        "HTTP/1.1 201 Made",
        "Connection: keep-alive",
        "Keep-Alive: timeout=5",
        "Transfer-Encoding: chunked",
        "Server: fn",
        "Content-Type: text/plain",
        "Set-Cookie: a=1",
        "Set-Cookie: b=2",
        "",
        "2\r\nok\r\n0\r\n\r\n",
      ].join("\r\n"),
    );
    const response = await exchange(gateway.port, {
      method: "POST",
      target: "/hello/a%2Fb/?y=1+2&x",
      fields: [
        "Host: Gw.Example:9080",
        "Authorization: Bearer abc",
        "Transfer-Encoding: chunked",
        "X-Forwarded-For: 9.9.9.9",
        "Forwarded: for=1",
      ],
      body: "5\r\nhello\r\n0\r\n\r\n",
    });
    const request = await recorder.request();
    expect(request.requestLine).toBe("POST /default/function-sample/a/b/?y=1%202&x HTTP/1.1");
    expect(request.body).toBe("hello");
    const sent = Object.fromEntries(request.fields);
    expect(sent).toMatchObject({
      host: "localhost",
      "x-forwarded-host": "Gw.Example:9080",
      "x-forwarded-proto": "http",
      "x-forwarded-port": "9080",
      authorization: "Basic dGVzdDp0ZXN0",
      "content-length": "5",
      "x-forwarded-for": "9.9.9.9",
    });
    expect(sent).not.toHaveProperty("forwarded");
    expect(sent).not.toHaveProperty("transfer-encoding");

    expect(response.statusLine).toBe("HTTP/1.1 201 Created");
    expect(valuesOf(response, "content-type")).toEqual(["text/plain; charset=utf-8"]);
    expect(valuesOf(response, "set-cookie")).toEqual(["a=1", "b=2"]);
    expect(valuesOf(response, "server")).toHaveLength(1);
    expect(valuesOf(response, "server")).not.toEqual(["fn"]);
    expect(valuesOf(response, "date")).toHaveLength(1);
    expect(valuesOf(response, "keep-alive")).not.toEqual(["timeout=5"]);
    expect(response.body).toBe("ok");
  });

  it("overrides the client's Authorization when there is a token", async () => {
    const request = await fieldsSent("/token/1", ["Authorization: Bearer abc"]);
    expect(valuesOf(request, "authorization")).toEqual(["Basic dGVzdDp0ZXN0"]);
  });

  it("sends the token on a POST without body too, with its length", async () => {
    await exchange(gateway.port, { method: "POST", target: "/token/1" });
    const request = await recorder.request();
    expect(valuesOf(request, "authorization")).toEqual(["Basic dGVzdDp0ZXN0"]);
    expect(valuesOf(request, "content-length")).toEqual(["0"]);
  });

  it("leaves the client's Authorization alone when there is none", async () => {
    const request = await fieldsSent("/open/1", ["authorization: user-token-xxx"]);
    expect(valuesOf(request, "authorization")).toEqual(["user-token-xxx"]);
  });

  it("has no port in Host", async () => {
    const request = await fieldsSent("/open/1", []);
    expect(valuesOf(request, "host")).toEqual(["127.0.0.1"]);
  });

  it.each([
    ["Keep-Alive", "timeout=9"],
    ["Proxy-Connection", "keep-alive"],
    ["TE", "gzip"],
    ["Upgrade", "h2c"],
  ])("lacks %s, which is the connection's", async (name, value) => {
    const request = await fieldsSent("/open/1", [`${name}: ${value}`]);
    expect(valuesOf(request, name.toLowerCase())).toEqual([]);
  });

  it("lacks what Connection names, and is not told to close", async () => {
    const request = await fieldsSent("/open/1", ["Connection: close, X-Hop", "X-Hop: 1", "X-Stay: 2"]);
    expect(valuesOf(request, "x-hop")).toEqual([]);
    expect(valuesOf(request, "x-stay")).toEqual(["2"]);
    expect(valuesOf(request, "connection")).not.toContain("close");
  });

  it("cannot be robbed of what the gateway adds by a Connection that names it", async () => {
    const request = await fieldsSent("/token/1", ["Connection: close, authorization, x-forwarded-host, host"]);
    expect(valuesOf(request, "authorization")).toEqual(["Basic dGVzdDp0ZXN0"]);
    expect(valuesOf(request, "x-forwarded-host")).toEqual(["gateway.test"]);
  });

  it("gets everything else as it came", async () => {
    const fields = [
      "X-Real-IP: 8.8.8.8",
      "X-Forwarded-For: 9.9.9.9",
      "Accept-Encoding: br",
      "Cookie: a=1; b=2",
      "traceparent: 00-1-2-03",
      "X-Empty:",
      "under_score: 1",
      "X-Twice: 1",
      "X-Twice: 2",
      "User-Agent: test/1",
      "Proxy-Authorization: Basic eA==",
    ];
    const request = await fieldsSent("/open/1", fields);
    for (const field of fields) {
      const [name = "", value = ""] = field.split(/: ?/);
      expect(valuesOf(request, name.toLowerCase())).toContain(value);
    }
    expect(valuesOf(request, "x-twice")).toEqual(["1", "2"]);
    expect(valuesOf(request, "x-forwarded-for")).toEqual(["9.9.9.9"]);
  });

  it("gets more than a hundred fields", async () => {
    const fields = Array.from({ length: 150 }, (_, index) => `X-Many-${index}: ${index}`);
    const request = await fieldsSent("/open/1", fields);
    expect(request.fields.filter(([name]) => name.startsWith("x-many-"))).toHaveLength(150);
  });

  it("overwrites what the client claims about the connection", async () => {
    const request = await fieldsSent("/open/1", [
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: evil.test",
      "X-Forwarded-Port: 1",
      "Forwarded: for=6.6.6.6",
    ]);
    expect(valuesOf(request, "x-forwarded-proto")).toEqual(["http"]);
    expect(valuesOf(request, "x-forwarded-host")).toEqual(["gateway.test"]);
    expect(valuesOf(request, "x-forwarded-port")).toEqual([String(gateway.port)]);
    expect(valuesOf(request, "forwarded")).toEqual([]);
  });

  describe("of a body", () => {
    it.each(["POST", "PUT", "PATCH", "GET", "DELETE", "OPTIONS"])(
      "is all of it, with its length, for %s",
      async (method) => {
        await exchange(gateway.port, { method, target: "/open/1", fields: ["Content-Length: 5"], body: "hello" });
        const request = await recorder.request();
        expect(request.body).toBe("hello");
        expect(valuesOf(request, "content-length")).toEqual(["5"]);
      },
    );

    it.each(["POST", "GET", "DELETE", "OPTIONS"])("that came chunked has its length for %s", async (method) => {
      await exchange(gateway.port, {
        method,
        target: "/open/1",
        fields: ["Transfer-Encoding: chunked"],
        body: "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
      });
      const request = await recorder.request();
      expect(request.body).toBe("hello");
      expect(valuesOf(request, "content-length")).toEqual(["5"]);
      expect(valuesOf(request, "transfer-encoding")).toEqual([]);
    });

    it.each([
      ["POST", ["0"]],
      ["PUT", ["0"]],
      ["PATCH", ["0"]],
      ["GET", []],
      ["DELETE", []],
      ["OPTIONS", []],
    ])("that is not there has the right length for %s", async (method, lengths) => {
      await exchange(gateway.port, { method, target: "/open/1" });
      expect(valuesOf(await recorder.request(), "content-length")).toEqual(lengths);
    });

    it("never hears of Expect, which the gateway meets", async () => {
      await using client = await rawClient(gateway.port);
      client.send(
        requestText({ method: "POST", target: "/open/1", fields: ["Expect: 100-continue", "Content-Length: 5"] }),
      );
      await client.until("HTTP/1.1 100 Continue\r\n\r\n");
      client.send("hello");
      expect(await client.untilClosed()).toContain("HTTP/1.1 200 OK");
      const request = await recorder.request();
      expect(request.body).toBe("hello");
      expect(valuesOf(request, "expect")).toEqual([]);
    });
  });

  describe("when the body may have ten bytes", () => {
    it("takes ten", async () => {
      const fields = ["Content-Length: 10"];
      const response = await exchange(gateway.port, { method: "POST", target: "/small", fields, body: "0123456789" });
      expect(response.status).toBe(200);
    });

    it("refuses eleven that are declared with 400, before any of them and without a 100", async () => {
      await using client = await rawClient(gateway.port);
      client.send(
        requestText({ method: "POST", target: "/small", fields: ["Content-Length: 11", "Expect: 100-continue"] }),
      );
      const answer = await client.until("\r\n\r\n");
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(recorder.requests).toEqual([]);
    });

    it("refuses eleven that come chunked with 400", async () => {
      const response = await exchange(gateway.port, {
        method: "POST",
        target: "/small",
        fields: ["Transfer-Encoding: chunked"],
        body: "b\r\nhello world\r\n0\r\n\r\n",
      });
      expect(response.status).toBe(400);
      expect(recorder.requests).toEqual([]);
    });
  });
});
