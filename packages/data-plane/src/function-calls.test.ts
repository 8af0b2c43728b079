import { connect } from "node:net";
import { eventually, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, test } from "vitest";
import { startPlane } from "./testing/running-plane.ts";

const functionAt = (origin: string, more: object = {}) => ({
  plugins: { openfunction: { function_uri: `${origin}/default/fn`, ...more } },
});

describe("openfunction", () => {
  test("one exchange, end to end", async () => {
    await using target = await startEchoUpstream({
      reply: {
        status: 201,
        headers: [
          "Server",
          "fn",
          "Content-Type",
          "text/plain",
          "Set-Cookie",
          "a=1",
          "Set-Cookie",
          "b=2",
          "Keep-Alive",
          "timeout=5",
        ],
        chunks: ["o", "k"],
      },
    });
    await using plane = await startPlane();
    await plane.put("routes/1", {
      uri: "/hello/*",
      ...functionAt(target.origin, { authorization: { service_token: "test:test" } }),
    });
    const answer = await plane.send("/hello/a%2Fb/?y=1+2&x", {
      method: "POST",
      headers: {
        Host: "Gw.Example:9080",
        Authorization: "Bearer abc",
        "Transfer-Encoding": "chunked",
        "X-Forwarded-For": "9.9.9.9",
      },
      body: "hello",
    });
    expect(answer).toMatchObject({ status: 201, reason: "Created", body: "ok" });
    expect(answer.headers).toMatchObject({
      server: "APISIX/3.18.0",
      "content-type": "text/plain; charset=utf-8",
      "set-cookie": ["a=1", "b=2"],
    });
    const seen = await target.request();
    expect(seen).toMatchObject({ method: "POST", url: "/default/fn/a/b/?y=1%202&x" });
    expect(seen.body.toString()).toBe("hello");
    expect(seen.headers).toMatchObject({
      host: "127.0.0.1",
      authorization: "Basic dGVzdDp0ZXN0",
      "content-length": "5",
      "x-forwarded-for": "9.9.9.9",
      "x-forwarded-host": "Gw.Example:9080",
    });
    expect(seen.headers["x-real-ip"]).toBeUndefined();
    expect(seen.headers["transfer-encoding"]).toBeUndefined();
  });

  test("an answer reaches the client while the function still makes it", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await using target = await startEchoUpstream({
      reply: {
        chunks: (async function* () {
          yield "first";
          await promise;
          yield "second";
        })(),
      },
    });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/hello", ...functionAt(target.origin) });
    const answer = await fetch(`http://127.0.0.1:${plane.portOf()}/hello`);
    const reader = answer.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("first");
    resolve();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("second");
    expect((await reader?.read())?.done).toBe(true);
  });

  test("a client that leaves cancels the call and is logged as 499", async () => {
    await using target = await startEchoUpstream({ reply: () => new Promise(() => {}) });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/hello", ...functionAt(target.origin, { timeout: 60_000 }) });
    const socket = connect(plane.portOf(), "127.0.0.1", () => socket.write("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"));
    await target.request();
    socket.destroy();
    await eventually(() => expect(target.aborted).toBe(1));
    await eventually(() => expect(plane.accessLog[0]).toContain('"GET /hello HTTP/1.1" 499 '));
  });

  test.each([
    { what: "declared", headers: { "Content-Length": "11" } },
    { what: "chunked", headers: { "Transfer-Encoding": "chunked" } },
  ])("a $what body over the limit is 400, and the function is not called", async ({ headers }) => {
    await using target = await startEchoUpstream();
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/hello", ...functionAt(target.origin, { max_req_body_size: 10 }) });
    const refused = await plane.send("/hello", { method: "POST", headers, body: "12345678901" });
    expect(refused.status).toBe(400);
    expect(target.started).toBe(0);
    const taken = await plane.send("/hello", { method: "POST", body: "1234567890" });
    expect(taken.status).toBe(200);
  });

  test("100 Continue is sent when the body is wanted, and only then", async () => {
    await using target = await startEchoUpstream({ reply: { body: "done" } });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/hello", ...functionAt(target.origin, { max_req_body_size: 10 }) });
    const head = (length: number) =>
      `POST /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
    expect(await plane.raw(head(11))).toMatch(/^HTTP\/1.1 400 /);
    const wanted = await plane.raw(`${head(5)}hello`);
    expect(wanted).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /);
    expect((await target.request()).headers["expect"]).toBeUndefined();
  });

  test("a function that cannot be reached is 503 with the reason, or with the configured body", async () => {
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/a", ...functionAt("http://127.0.0.1:1") });
    expect(await plane.send("/a")).toMatchObject({
      status: 503,
      body: '{"error_msg":"503 Service Temporarily Unavailable","reason":"refused"}\n',
    });
    await plane.put("routes/2", {
      uri: "/b",
      ...functionAt("http://127.0.0.1:1", { _meta: { error_response: { message: "sorry" } } }),
    });
    const shaped = await plane.send("/b");
    expect(shaped).toMatchObject({ status: 503, body: '{"message":"sorry"}\n' });
    expect(shaped.headers["content-type"]).toBe("text/plain; charset=utf-8");
  });

  test("_meta.error_response takes the place of the function's own error body", async () => {
    await using target = await startEchoUpstream({
      reply: { status: 404, headers: { "content-type": "text/css", "content-length": "4" }, body: "none" },
    });
    await using plane = await startPlane();
    await plane.put("routes/1", {
      uri: "/a",
      ...functionAt(target.origin, { _meta: { error_response: "gone away" } }),
    });
    expect(await plane.send("/a")).toMatchObject({
      status: 404,
      body: "gone away",
      headers: { "content-length": "9" },
    });
  });

  test("a function that breaks off its answer has the client's connection cut", async () => {
    await using target = await startEchoUpstream({ reply: { chunks: ["part"], reset: "after-chunks" } });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/a", ...functionAt(target.origin) });
    await expect(plane.send("/a")).rejects.toThrow();
  });

  test("a missing Content-Type becomes text/plain, except where there is no body", async () => {
    await using target = await startEchoUpstream({
      reply: ({ url }) => ({
        status: url.endsWith("none") ? 204 : 418,
        headers: [],
        body: url.endsWith("none") ? "" : "tea",
      }),
    });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/a/*", ...functionAt(target.origin) });
    const tea = await plane.send("/a/tea");
    expect(tea).toMatchObject({ status: 418, reason: "", headers: { "content-type": "text/plain; charset=utf-8" } });
    const none = await plane.send("/a/none");
    expect(none.status).toBe(204);
    expect(none.headers["content-type"]).toBeUndefined();
  });

  test("HEAD keeps the function's Content-Length and has no body", async () => {
    await using target = await startEchoUpstream({
      reply: { headers: { "content-length": "3", "content-type": "text/css" }, body: "abc" },
    });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/a", ...functionAt(target.origin) });
    expect(await plane.send("/a", { method: "HEAD" })).toMatchObject({
      status: 200,
      body: "",
      headers: { "content-length": "3" },
    });
  });

  test("an encrypted token is decrypted with the keyring", async () => {
    await using target = await startEchoUpstream();
    await using plane = await startPlane({ keyring: ["qeddd145sfvddff3"] });
    await plane.put("routes/1", {
      uri: "/a",
      ...functionAt(target.origin, { authorization: { service_token: "i+k/QR735gLr6ce4Y+itJA==" } }),
    });
    await plane.send("/a");
    expect((await target.request()).headers["authorization"]).toBe("Basic dGVzdDp0ZXN0");
  });

  test("an upgrade request is an ordinary call, with or without enable_websocket", async () => {
    await using target = await startEchoUpstream({ reply: { body: "plain" } });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/a", enable_websocket: true, ...functionAt(target.origin) });
    await plane.put("routes/2", { uri: "/b", ...functionAt(target.origin) });
    const headers = { Connection: "Upgrade", Upgrade: "websocket" };
    expect(await plane.send("/a", { headers })).toMatchObject({ status: 200, body: "plain" });
    expect(await plane.send("/b", { headers })).toMatchObject({ status: 200, body: "plain" });
    expect((await target.request(2)).headers["upgrade"]).toBeUndefined();
  });
});
