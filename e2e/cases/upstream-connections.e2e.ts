import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "@fngate/test-kit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type FullListener, startFullListener } from "../support/full-listener.ts";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { exchange, rawClient, requestText } from "../support/raw-client.ts";
import { type RawResponse, valuesOf } from "../support/raw-response.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";

/** More than the system keeps between two sockets of this machine. */
const LARGE_BYTES = 32 * 1024 * 1024;

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

describe.each(MODES)("connections to an upstream (%s)", (mode) => {
  let gateway: Gateway;
  let upstream: Recorder;

  beforeAll(async () => {
    upstream = await startRecorder();
    const keepalive = { keepalive: 1, keepalive_requests: 2, keepalive_timeout: "60s" };
    gateway = await startGateway(mode, { nginx: { http: { upstream: keepalive } } });
    const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
    const pooled = (id: string, keepalive_pool: object) => [id, { uri: `/${id}`, upstream: { nodes, keepalive_pool } }];
    await gateway.route(
      Object.fromEntries([
        pooled("kept", {}),
        pooled("sized", { size: 1, idle_timeout: 60, requests: 1000 }),
        pooled("worn", { requests: 3 }),
        pooled("short", { idle_timeout: 0.2 }),
        ["configured", { uri: "/configured", upstream: { nodes } }],
      ]),
    );
  });
  beforeEach(() => upstream.reset());
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  const ask = (target: string): Promise<RawResponse> => exchange(gateway.port, { target });

  /** Numbers of the connections that requests one after the other came on, counted from the first of them. */
  async function used(path: string, count: number): Promise<readonly number[]> {
    for (let call = 0; call < count; call += 1) await ask(path);
    const numbers = upstream.requests.map(({ connection }) => connection);
    const distinct = [...new Set(numbers)];
    return numbers.map((number) => distinct.indexOf(number) + 1);
  }

  /** Holds two requests at once, lets them end, and tells how many of their connections are kept. */
  async function keptOfTwo(path: string): Promise<number> {
    const release: (() => void)[] = [];
    const closed = upstream.closedConnections;
    upstream.answerWith((_, socket) => void release.push(() => socket.write(OK)));
    const both = [ask(path), ask(path)];
    await eventually(() => release.length === 2);
    for (const answer of release) answer();
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
    if (path === "/kept") return 2 - (upstream.closedConnections - closed);
    await eventually(() => upstream.closedConnections > closed);
    return 2 - (upstream.closedConnections - closed);
  }

  it("are used again", async () => {
    expect(await used("/kept", 4)).toEqual([1, 1, 1, 1]);
  });

  it("carry as many requests as `requests` says", async () => {
    expect(await used("/worn", 7)).toEqual([1, 1, 1, 2, 2, 2, 3]);
  });

  it("are kept up to `size`", async () => {
    expect(await keptOfTwo("/sized")).toBe(1);
    expect(await keptOfTwo("/kept")).toBe(2);
  });

  it("idle for as long as `idle_timeout` says", async () => {
    const closed = upstream.closedConnections;
    await ask("/short");
    await eventually(() => expect(upstream.closedConnections).toBe(closed + 1));
  });

  it("are kept as the configuration says where an upstream does not", async () => {
    expect(await used("/configured", 4)).toEqual([1, 1, 2, 2]);
    expect(await keptOfTwo("/configured")).toBe(1);
  });

  it("are used again after failures that come with a whole answer, and not after a broken one", async () => {
    upstream.answerWith("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
    expect(await used("/kept", 2)).toEqual([1, 1]);
    upstream.answerWith("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    await ask("/kept");
    upstream.reset();
    expect(await used("/kept", 1)).toEqual([1]);
  });
});

describe("the time that an upstream has", () => {
  let gateway: Gateway;
  let upstream: Recorder;
  let full: FullListener;
  let deaf: Deaf;

  beforeAll(async () => {
    upstream = await startRecorder();
    full = await startFullListener();
    deaf = await startDeafServer();
    gateway = await startGateway("embedded");
    const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
    const patient = { connect: 30, send: 30, read: 30 };
    await gateway.admin.put("/upstreams/patient", { nodes, timeout: patient });
    await gateway.admin.put("/services/patient", { upstream: { nodes, timeout: patient } });
    const timed = (id: string, timeout: object, more: object = { nodes }) => [
      id,
      { uri: `/${id}`, upstream: { ...more, timeout } },
    ];
    const hasty = { connect: 30, send: 30, read: 0.4 };
    await gateway.route(
      Object.fromEntries([
        timed("connect", { ...patient, connect: 0.3 }, { nodes: { [`127.0.0.1:${full.port}`]: 1 } }),
        timed("send", { ...patient, send: 0.3 }, { nodes: { [`127.0.0.1:${deaf.port}`]: 1 } }),
        timed("read", hasty),
        ["route", { uri: "/route", timeout: hasty, upstream: { nodes, timeout: patient } }],
        ["named", { uri: "/named", timeout: hasty, upstream_id: "patient" }],
        ["service", { uri: "/service", timeout: hasty, service_id: "patient" }],
      ]),
    );
  });
  beforeEach(() => upstream.reset());
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
    for (const listener of [full, deaf]) await listener[Symbol.asyncDispose]();
  });

  function failure(got: RawResponse): unknown {
    const list = valuesOf(got, "x-apisix-upstream-status").join();
    return { status: got.status, list, reason: JSON.parse(got.body).reason };
  }

  it("ends with `connect` while it does not accept", async () => {
    const got = await exchange(gateway.port, { target: "/connect" });
    expect(failure(got)).toEqual({ status: 504, list: "504", reason: "connect-timeout" });
  });

  it("ends with `send` while it takes nothing of a request", async () => {
    await using client = await rawClient(gateway.port);
    client.send(requestText({ method: "POST", target: "/send", fields: [`Content-Length: ${LARGE_BYTES}`] }));
    const piece = "x".repeat(1024 * 1024);
    for (let sent = 0; sent < LARGE_BYTES; sent += piece.length) client.send(piece);
    const all = await client.until('"reason":"timeout"');
    expect(all).toMatch(/^HTTP\/1\.1 504 /);
    expect(all).toMatch(/x-apisix-upstream-status: 504\r\n/i);
  });

  it.each(["/read", "/route", "/named", "/service"])(
    "ends with `read` while it answers nothing (%s)",
    async (target) => {
      upstream.answerWith(() => {});
      const got = await exchange(gateway.port, { target });
      expect(failure(got)).toEqual({ status: 504, list: "504", reason: "timeout" });
    },
  );

  it("begins anew with every piece of an answer", async () => {
    upstream.answerWith((_, socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
      let sent = 0;
      const timer = setInterval(() => {
        sent += 1;
        socket.write("x");
        if (sent === 8) clearInterval(timer);
      }, 100);
    });
    expect(await exchange(gateway.port, { target: "/read" })).toMatchObject({ status: 200, body: "xxxxxxxx" });
  });

  it("ends in the middle of an answer: the client is cut off", async () => {
    upstream.answerWith("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
    await using client = await rawClient(gateway.port);
    client.send(requestText({ target: "/read", fields: ["Connection: keep-alive"] }));
    const all = await client.untilClosed();
    expect(all).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(all.endsWith("\r\n\r\nhalf")).toBe(true);
  });

  it("ends with `read` where neither side of a WebSocket says anything, and not while one does", async () => {
    await using echo = await startWebSocketEcho();
    const timeout = { connect: 30, send: 30, read: 0.6 };
    const nodes = { [`127.0.0.1:${echo.port}`]: 1 };
    await gateway.admin.put("/services/ws", { enable_websocket: true, upstream: { nodes, timeout } });
    await gateway.route({ ws: { uri: "/ws", service_id: "ws" } });
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`);
    await once(socket, "open");
    for (let turn = 0; turn < 10; turn += 1) {
      socket.send(String(turn));
      const [data] = await once(socket, "message");
      expect(String(data)).toBe(String(turn));
      await delay(100);
    }
    expect(socket.readyState).toBe(WebSocket.OPEN);
    // The limit to send is no part of it: that would take longer than this waits.
    await eventually(() => socket.readyState === WebSocket.CLOSED, { deadlineMs: 20_000 });
  });
});

interface Deaf extends AsyncDisposable {
  readonly port: number;
}

/** A server that accepts connections and reads nothing of them. */
async function startDeafServer(): Promise<Deaf> {
  const sockets: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => void sockets.push(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function startWebSocketEcho(): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  server.on("connection", (socket) => socket.on("message", (data) => socket.send(String(data))));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, "close");
    },
  };
}
