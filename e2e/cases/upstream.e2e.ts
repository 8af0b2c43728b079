import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Settings } from "node:http2";
import type { Duplex } from "node:stream";
import { type EchoUpstream, eventually, startEchoUpstream } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { rawClient, requestText } from "../support/raw-client.ts";

describe.each(MODES)("a plain upstream (%s)", (mode) => {
  let gateway: Gateway;
  let one: EchoUpstream;
  let two: EchoUpstream;
  let sockets: WebSocketServer;

  beforeAll(async () => {
    one = await startEchoUpstream({ reply: { body: "one" } });
    two = await startEchoUpstream({ reply: { body: "two" } });
    sockets = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(sockets, "listening");
    sockets.on("connection", (socket) =>
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })),
    );
    gateway = await startGateway(mode);
    const address = sockets.address();
    const socketNode = typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : "";
    const nodes = { [`127.0.0.1:${one.port}`]: 3, [`127.0.0.1:${two.port}`]: 1 };
    const list = [
      { host: "127.0.0.1", port: one.port, weight: 1 },
      { host: "127.0.0.1", port: two.port, weight: 2 },
    ];
    await gateway.route({
      map: { uri: "/map/*", upstream: { type: "roundrobin", nodes } },
      list: { uri: "/list", upstream: { type: "roundrobin", nodes: list } },
      none: {
        uri: "/none",
        upstream: { type: "roundrobin", nodes: { [`127.0.0.1:${one.port}`]: 0, [`127.0.0.1:${two.port}`]: 1 } },
      },
      "ws-on": { uri: "/ws-on", enable_websocket: true, upstream: { type: "roundrobin", nodes: { [socketNode]: 1 } } },
      "ws-off": { uri: "/ws-off", upstream: { type: "roundrobin", nodes: { [socketNode]: 1 } } },
    });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    for (const client of sockets.clients) client.terminate();
    sockets.close();
    for (const upstream of [one, two]) await upstream[Symbol.asyncDispose]();
  });

  /** How often each upstream answered in `count` calls. */
  async function shares(path: string, count: number): Promise<Readonly<Record<string, number>>> {
    const seen: Record<string, number> = { one: 0, two: 0 };
    for (let call = 0; call < count; call += 1) {
      const name = await (await fetch(gateway.origin + path)).text();
      seen[name] = (seen[name] ?? 0) + 1;
    }
    return seen;
  }

  it("is shared by weight when nodes are a map", async () => {
    expect(await shares("/map/x", 40)).toEqual({ one: 30, two: 10 });
  });

  it("is shared by weight when nodes are a list", async () => {
    expect(await shares("/list", 30)).toEqual({ one: 10, two: 20 });
  });

  it("never calls a node of weight 0", async () => {
    expect(await shares("/none", 5)).toEqual({ one: 0, two: 5 });
  });

  it("gets path and query as the client sent them", async () => {
    const before = one.requests.length + two.requests.length;
    await fetch(`${gateway.origin}/map/a%2Fb?x=1+2&y=%7e`);
    const urls = [...one.requests, ...two.requests].map((request) => request.url);
    expect(one.requests.length + two.requests.length).toBe(before + 1);
    expect(urls).toContain("/map/a%2Fb?x=1+2&y=%7e");
  });

  it("carries a WebSocket when enable_websocket is set", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws-on`);
    await once(socket, "open");
    socket.send("through the gateway");
    const [data] = await once(socket, "message");
    expect(String(data)).toBe("through the gateway");
    socket.close();
    await once(socket, "close");
  });

  it.each(["client", "upstream"])("lets go of a WebSocket whose %s breaks off", async (side) => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws-on`);
    await once(socket, "open");
    const [served] = sockets.clients;
    const ends = Promise.all([once(socket, "close"), served && once(served, "close")]);
    if (side === "client") socket.terminate();
    else served?.terminate();
    await ends;
    expect(sockets.clients.size).toBe(0);
  });

  it("lets go of a WebSocket whose client breaks off before the handshake is answered", async () => {
    const held: Duplex[] = [];
    const silent = createServer().listen(0, "127.0.0.1");
    silent.on("upgrade", (_request, socket) => {
      socket.on("error", () => {});
      held.push(socket);
    });
    await once(silent, "listening");
    const address = silent.address();
    const node = typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : "";
    const upstream = { type: "roundrobin", nodes: { [node]: 1 } };
    await gateway.route({ held: { uri: "/held", enable_websocket: true, upstream } });
    await using client = await rawClient(gateway.port);
    const fields = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
    client.send(requestText({ target: "/held", fields: [...fields, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="] }));
    await eventually(() => held.length === 1);
    client.abort();
    await eventually(() => held[0]?.destroyed === true || held[0]?.readableEnded === true);
    silent.close();
  });

  it("carries no WebSocket otherwise", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws-off`);
    const [error] = await once(socket, "error");
    expect(String(error)).toMatch(/Unexpected server response|socket hang up/);
  });

  it("offers no WebSocket over HTTP/2", async () => {
    const session = connect(gateway.origin);
    try {
      const [settings] = (await once(session, "remoteSettings")) as [Settings];
      expect(settings.enableConnectProtocol ?? false).toBe(false);
    } finally {
      session.destroy();
    }
  });

  it("takes over when the plugin is removed from a route, without a restart", async () => {
    const upstream = { type: "roundrobin", nodes: { [`127.0.0.1:${two.port}`]: 1 } };
    await gateway.route({ turn: { uri: "/turn", upstream, plugins: { openfunction: { function_uri: one.origin } } } });
    expect(await (await fetch(`${gateway.origin}/turn`)).text()).toBe("one");
    await gateway.route({ turn: { uri: "/turn", upstream } });
    expect(await (await fetch(`${gateway.origin}/turn`)).text()).toBe("two");
    await gateway.admin.delete("/routes/turn");
    await gateway.settle();
    expect((await fetch(`${gateway.origin}/turn`)).status).toBe(404);
  });

  it("takes over while the plugin is disabled by its _meta", async () => {
    const upstream = { type: "roundrobin", nodes: { [`127.0.0.1:${two.port}`]: 1 } };
    const openfunction = { function_uri: one.origin, _meta: { disable: true } };
    await gateway.route({ off: { uri: "/off", upstream, plugins: { openfunction } } });
    expect(await (await fetch(`${gateway.origin}/off`)).text()).toBe("two");
  });
});
