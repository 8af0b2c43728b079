import { once } from "node:events";
import { connect } from "node:net";
import { systemClock } from "@fngate/kernel";
import { eventually, FakeConfigStore, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, test } from "vitest";
import { type RunningPlane, sendRequest, startPlane } from "./testing/running-plane.ts";

const nodes = (port: number) => ({ nodes: { [`127.0.0.1:${port}`]: 1 } });

/** Connections that are open. */
async function connectionsOf({ plane }: RunningPlane): Promise<number> {
  const { body } = await plane.renderMetrics();
  return Number(/^apisix_nginx_http_current_connections\{state="active"\} (\d+)$/m.exec(body)?.[1] ?? 0);
}

describe("a plain upstream", () => {
  test.each([
    { name: "a host that is no host", nodes: { "a b:80": 1 } },
    { name: "two ports", nodes: [{ host: "127.0.0.1:1", port: 2, weight: 1 }] },
  ])("with $name costs its own route and no more", async (invalid) => {
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/bad", upstream: { nodes: invalid.nodes } });
    await plane.put("routes/2", { uri: "/good", upstream: nodes(upstream.port) });
    expect((await plane.send("/bad")).status).toBe(500);
    expect((await plane.send("/good")).status).toBe(200);
  });

  test("takes a host that carries its port", async () => {
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane();
    const node = { host: `127.0.0.1:${upstream.port}`, weight: 1 };
    await plane.put("routes/1", { uri: "/x", upstream: { nodes: [node] } });
    expect((await plane.send("/x")).status).toBe(200);
  });

  test("whose outcome cannot be dealt with costs one request and no more", async () => {
    let calls = 0;
    // The third look at the clock is the one after the attempt.
    const monotonicMs = () => {
      calls += 1;
      if (calls === 3) throw new Error("no time");
      return systemClock.monotonicMs();
    };
    await using plane = await startPlane({ clock: { ...systemClock, monotonicMs } });
    await plane.put("routes/1", { uri: "/x", upstream: { nodes: { "127.0.0.1:1": 1 } } });
    calls = 0;
    expect((await plane.send("/x")).status).toBe(500);
    expect((await plane.send("/x")).status).toBe(502);
  });

  test("gets the client's raw target, method, body and headers", async () => {
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/*", upstream: nodes(upstream.port) });
    const answer = await plane.send("/a//b/../c%2Fd?x=1&y", {
      method: "POST",
      body: "hello",
      headers: {
        Host: "Gw.Example:9080",
        "X-Forwarded-For": "9.9.9.9",
        Forwarded: "for=1",
        "X-Forwarded-Proto": "https",
      },
    });
    expect(answer.status).toBe(200);
    const seen = await upstream.request();
    expect(seen.method).toBe("POST");
    expect(seen.url).toBe("/a//b/../c%2Fd?x=1&y");
    expect(seen.body.toString()).toBe("hello");
    expect(seen.headers).toMatchObject({
      host: "Gw.Example:9080",
      "x-forwarded-for": "9.9.9.9, 127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "Gw.Example:9080",
      "x-forwarded-port": "9080",
      "x-real-ip": "127.0.0.1",
      "content-length": "5",
    });
    expect(seen.headers["forwarded"]).toBeUndefined();
  });

  test("answers with its own status line, and the gateway's Server", async () => {
    await using upstream = await startEchoUpstream({
      reply: {
        status: 201,
        headers: { server: "up", "content-type": "text/plain", "x-accel-expires": "1" },
        body: "ok",
      },
    });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", upstream: nodes(upstream.port) });
    const answer = await plane.send("/x");
    expect(answer).toMatchObject({ status: 201, body: "ok" });
    expect(answer.headers).toMatchObject({ server: "APISIX/3.18.0", "content-type": "text/plain; charset=utf-8" });
    expect(answer.headers["x-accel-expires"]).toBeUndefined();
    expect(answer.headers["x-apisix-upstream-status"]).toBeUndefined();
  });

  test("that answers 5xx is named in X-APISIX-Upstream-Status", async () => {
    await using upstream = await startEchoUpstream({ reply: { status: 500, body: "no" } });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", upstream: nodes(upstream.port) });
    const answer = await plane.send("/x");
    expect(answer).toMatchObject({ status: 500, body: "no" });
    expect(answer.headers["x-apisix-upstream-status"]).toBe("500");
  });

  test("that refuses connections is answered 502 with the reason", async () => {
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", upstream: nodes(1) });
    const answer = await plane.send("/x");
    expect(answer.status).toBe(502);
    expect(answer.body).toBe('{"error_msg":"502 Bad Gateway","reason":"refused"}\n');
    expect(answer.headers).toMatchObject({ "content-type": "application/json", "x-apisix-upstream-status": "502" });
  });

  test("that breaks off its answer has the client's connection cut", async () => {
    await using upstream = await startEchoUpstream({
      reply: { headers: { "content-length": "100" }, chunks: ["part"], reset: "after-chunks" },
    });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", upstream: nodes(upstream.port) });
    await expect(plane.send("/x")).rejects.toThrow();
  });

  test("never sees an Upgrade when the route has no WebSockets", async () => {
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", upstream: nodes(upstream.port) });
    const answer = await plane.send("/x", { headers: { Connection: "Upgrade", Upgrade: "websocket" } });
    expect(answer.status).toBe(200);
    expect((await upstream.request()).headers["upgrade"]).toBeUndefined();
  });

  test("does not see what the client's Connection names, and cannot lose what the gateway adds", async () => {
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", upstream: nodes(upstream.port) });
    await plane.send("/x", { headers: { Connection: "close, X-Mine, X-Forwarded-Host, X-Real-IP", "X-Mine": "1" } });
    const { headers } = await upstream.request();
    expect(headers["x-mine"]).toBeUndefined();
    expect(headers).toMatchObject({ "x-forwarded-host": `127.0.0.1:${plane.portOf()}`, "x-real-ip": "127.0.0.1" });
  });
});

describe("without an answer from elsewhere", () => {
  test("a request that matches no route gets APISIX's 404", async () => {
    await using plane = await startPlane();
    const answer = await plane.send("/nothing");
    expect(answer).toMatchObject({ status: 404, body: '{"error_msg":"404 Route Not Found"}\n' });
    expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(answer.headers["server"]).toBe("APISIX/3.18.0");
  });

  const unavailable = '{"error_msg":"503 Service Temporarily Unavailable"}\n';
  const noNodes = '{"error_msg":"503 Service Temporarily Unavailable","reason":"no-nodes"}\n';
  const badGateway = '{"error_msg":"502 Bad Gateway"}\n';
  const internal = '{"error_msg":"500 Internal Server Error"}\n';

  test.each([
    { what: "a missing service", fields: { service_id: "s" }, status: 404, body: '{"error_msg":"404 Not Found"}\n' },
    { what: "a missing plugin config", fields: { plugin_config_id: "p", plugins: {} }, status: 503, body: unavailable },
    { what: "a missing upstream", fields: { upstream_id: "u" }, status: 502, body: badGateway },
    { what: "no upstream", fields: { plugins: {} }, status: 503, body: unavailable },
    { what: "an empty upstream", fields: { upstream: { nodes: {} } }, status: 503, body: noNodes },
    {
      what: "an unknown balancer",
      fields: { upstream: { type: "dice", nodes: { "127.0.0.1:1": 1 } } },
      status: 500,
      body: internal,
    },
  ])("a route with $what answers $status", async ({ fields, status, body }) => {
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", ...fields });
    expect(await plane.send("/x")).toMatchObject({ status, body });
  });

  test.each([
    ["no Host", "GET / HTTP/1.1\r\n\r\n", "400"],
    ["two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"],
    ["a Host that cannot be one", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"],
    ["both framings", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400"],
    ["a bad escape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "400"],
    ["a NUL", "GET /a%00 HTTP/1.1\r\nHost: a\r\n\r\n", "400"],
    ["a climb above the root", "GET /a/../../b HTTP/1.1\r\nHost: a\r\n\r\n", "400"],
    ["OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "400"],
    ["TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "405"],
    ["CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "405"],
    ["a long request line", `GET /${"a".repeat(9_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, "414"],
    ["a huge request line", `GET /${"a".repeat(90_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, "414"],
    ["a long field", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(9_000)}\r\n\r\n`, "400"],
    ["a line that is no request", "hello\r\n\r\n", "400"],
  ])("a request with %s is refused by the listener", async (_title, text, status) => {
    await using plane = await startPlane();
    const received = await plane.raw(text);
    expect(received.split(" ")[1]).toBe(status);
    expect(received).toContain("Server: APISIX/3.18.0");
    expect(received).toContain(`{"error_msg":"${status} `);
  });

  test("absolute-form targets name the host", async () => {
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", host: "abs.example", upstream: nodes(upstream.port) });
    const received = await plane.raw(
      "GET http://ABS.example:80/x?y=1 HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n",
    );
    expect(received).toMatch(/^HTTP\/1.1 200 /);
    expect(await upstream.request()).toMatchObject({ url: "/x?y=1", headers: { host: "ABS.example:80" } });
  });
});

describe("configuration", () => {
  test("changes take effect while requests run, and a request keeps the one it began with", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await using slow = await startEchoUpstream({
      reply: async () => {
        await promise;
        return { body: "old" };
      },
    });
    await using quick = await startEchoUpstream({ reply: { body: "new" } });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", upstream: nodes(slow.port) });
    const first = plane.send("/x");
    await slow.request();
    await plane.put("routes/1", { uri: "/x", upstream: nodes(quick.port) });
    expect((await plane.send("/x")).body).toBe("new");
    await plane.remove("routes/1");
    expect((await plane.send("/x")).status).toBe(404);
    resolve();
    expect((await first).body).toBe("old");
  });

  test("a bad update keeps the last good version, is listed, and the correction clears it", async () => {
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", upstream: nodes(upstream.port) });
    await plane.put("routes/1", { uri: 1 });
    await plane.put("routes/2", { uri: "/two", plugins: { openfunction: { timeout: 1 } } });
    await plane.put("routes/3", "[]");
    await plane.put("routes/4", { uri: "/lua", upstream: nodes(1), filter_func: "function(vars) return true end" });
    await plane.put("routes/5", { uri: "/five", upstream: nodes(upstream.port), plugins: { nope: {} } });
    await plane.put("routes/", "init_dir");
    expect((await plane.send("/x")).status).toBe(200);
    expect((await plane.send("/two")).status).toBe(404);
    expect((await plane.send("/lua")).status).toBe(404);
    expect((await plane.send("/five")).status).toBe(200);
    expect(plane.plane.diagnostics.map(({ id, code, severity }) => [id, code, severity])).toEqual([
      ["1", "INVALID_OBJECT", "error"],
      ["2", "INVALID_PLUGIN", "error"],
      ["3", "NOT_AN_OBJECT", "error"],
      ["4", "UNSUPPORTED_FIELD", "error"],
      ["5", "UNKNOWN_PLUGIN", "warning"],
    ]);
    await plane.put("routes/1", { uri: "/y", upstream: nodes(upstream.port) });
    expect((await plane.send("/y")).status).toBe(200);
    expect((await plane.send("/x")).status).toBe(404);
    expect(plane.plane.diagnostics.some(({ id }) => id === "1")).toBe(false);
  });

  test("services, upstreams and hosts are found through the ids a route names", async () => {
    await using one = await startEchoUpstream({ reply: { body: "one" } });
    await using two = await startEchoUpstream({ reply: { body: "two" } });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", service_id: "s" });
    await plane.put("services/s", { upstream_id: "u", hosts: ["A.example"] });
    await plane.put("upstreams/u", nodes(one.port));
    const ask = (host: string) => plane.send("/x", { headers: { host } });
    expect(await ask("a.example")).toMatchObject({ status: 200, body: "one" });
    expect((await ask("b.example")).status).toBe(404);
    await plane.put("upstreams/u", nodes(two.port));
    expect((await ask("a.example")).body).toBe("two");
    await plane.put("services/s", { upstream_id: "u", hosts: ["b.example"] });
    expect((await ask("a.example")).status).toBe(404);
    expect((await ask("b.example")).body).toBe("two");
    await plane.put("routes/1", { uri: "/x", service_id: "s", upstream: nodes(one.port) });
    expect((await ask("b.example")).body).toBe("one");
  });

  test("a route's timeout wins over its named upstream's", async () => {
    await using upstream = await startEchoUpstream({ reply: { delayMs: 5_000 } });
    await using plane = await startPlane();
    await plane.put("upstreams/u", { ...nodes(upstream.port), retries: 0 });
    await plane.put("routes/1", { uri: "/x", upstream_id: "u", timeout: { connect: 1, send: 1, read: 0.1 } });
    expect(await plane.send("/x")).toMatchObject({
      status: 504,
      body: '{"error_msg":"504 Gateway Time-out","reason":"timeout"}\n',
    });
  });

  test.each([
    { what: "a named upstream", split: { upstream_id: "u" } },
    { what: "an upstream of its own", split: { upstream: "slow" } },
  ])("a route's timeout holds for $what that a plugin chooses, however many others it calls", async ({ split }) => {
    await using slow = await startEchoUpstream({ reply: { delayMs: 5_000 } });
    await using fast = await startEchoUpstream();
    await using plane = await startPlane();
    const timeout = { connect: 1, send: 1, read: 0.1 };
    await plane.put("upstreams/u", { ...nodes(slow.port), retries: 0 });
    await plane.put("upstreams/fast", nodes(fast.port));
    const upstream = "upstream" in split ? { upstream: { ...nodes(slow.port), retries: 0 } } : split;
    const rules = [{ match: [{ vars: [["arg_slow", "==", "1"]] }], weighted_upstreams: [upstream] }];
    await plane.put("routes/1", { uri: "/x", upstream_id: "fast", timeout, plugins: { "traffic-split": { rules } } });
    for (const status of [504, 504]) {
      expect((await plane.send("/x?slow=1")).status).toBe(status);
      expect((await plane.send("/x")).status).toBe(200);
    }
  });

  test("of many objects takes effect as one, and readiness waits for it", async () => {
    await using store = new FakeConfigStore();
    for (let n = 0; n < 950; n += 1) {
      await store.put(`/apisix/routes/${n}`, JSON.stringify({ uri: `/r/${n}`, plugins: {} }));
    }
    await using plane = await startPlane({ store });
    const answers = await Promise.all(["/r/0", "/r/949", "/r/950"].map((target) => plane.send(target)));
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 404]);
  });

  test("outlives the store, and a wiped store empties it", async () => {
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", upstream: nodes(upstream.port) });
    plane.store.disconnect();
    expect((await plane.send("/x")).status).toBe(200);
    expect(plane.plane.isReady).toBe(true);
    plane.store.reconnect();
    plane.store.wipe();
    await eventually(async () => expect((await plane.send("/x")).status).toBe(404));
  });
});

describe("stopping", () => {
  test("lets running requests end, with Connection: close, and takes no more", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await using upstream = await startEchoUpstream({
      reply: async () => {
        await promise;
        return { body: "late" };
      },
    });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", upstream: nodes(upstream.port) });
    const port = plane.portOf();
    const running = plane.send("/x", { headers: { Connection: "keep-alive" } });
    await upstream.request();
    const stopped = plane.stop(10_000);
    expect(plane.plane.isReady).toBe(false);
    await eventually(() => expect(sendRequest(port, "/x")).rejects.toThrow());
    resolve();
    const answer = await running;
    expect(answer.body).toBe("late");
    expect(answer.headers["connection"]).toBe("close");
    await stopped;
  });

  test("cuts what does not end by the deadline, and says so", async () => {
    await using upstream = await startEchoUpstream({ reply: () => new Promise(() => {}) });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", upstream: nodes(upstream.port) });
    const running = plane.send("/x").catch((error: Error) => error.message);
    await upstream.request();
    await expect(plane.stop(20)).rejects.toMatchObject({ code: "LIFECYCLE_DRAIN_TIMEOUT" });
    expect(await running).toContain("socket hang up");
  });

  test.each([
    ["HTTP/1.1", {}],
    ["HTTP/1.1 beside HTTP/2", { isHttp2Enabled: true }],
  ])("answers a client that connected before it and asks behind it, on a port for %s", async (_what, transport) => {
    await using plane = await startPlane({ listen: [{ host: "127.0.0.1", port: 0, ...transport }] });
    const socket = connect(plane.portOf(), "127.0.0.1");
    await once(socket, "connect");
    await eventually(async () => expect(await connectionsOf(plane)).toBe(1));
    const stopped = plane.stop(10_000);
    socket.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1\.1 404 [\s\S]*\r\nConnection: close\r\n/);
    await stopped;
  });

  test("closes idle connections at once", async () => {
    await using plane = await startPlane();
    const socket = connect(plane.portOf(), "127.0.0.1");
    await once(socket, "connect");
    socket.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(socket, "data");
    const closed = once(socket, "close");
    await plane.stop(10_000);
    await closed;
  });

  test("a taken port fails the start and frees what was bound", async () => {
    await using plane = await startPlane();
    const taken = { host: "127.0.0.1", port: plane.portOf() };
    await expect(startPlane({ listen: [{ host: "127.0.0.1", port: 0 }, taken] })).rejects.toMatchObject({
      code: "LISTEN_FAILED",
    });
  });
});
