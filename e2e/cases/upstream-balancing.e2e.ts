import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type EchoUpstream, eventually, startEchoUpstream } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { rawClient, requestText } from "../support/raw-client.ts";

describe.each(MODES)("balancing (%s)", (mode) => {
  let gateway: Gateway;
  const echoes: EchoUpstream[] = [];
  let nodes: Record<string, number>;

  beforeAll(async () => {
    for (const name of ["a", "b", "c"]) echoes.push(await startEchoUpstream({ reply: { body: name } }));
    nodes = Object.fromEntries(echoes.map(({ port }) => [`127.0.0.1:${port}`, 1]));
    gateway = await startGateway(mode);
    await gateway.route({
      header: { uri: "/header", upstream: { type: "chash", hash_on: "header", key: "X-User", nodes } },
      cookie: { uri: "/cookie", upstream: { type: "chash", hash_on: "cookie", key: "sid", nodes } },
      template: {
        uri: "/template/*",
        upstream: { type: "chash", hash_on: "vars_combinations", key: "$uri $arg_user", nodes },
      },
      ewma: { uri: "/ewma", upstream: { type: "ewma", nodes } },
    });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    for (const echo of echoes) await echo[Symbol.asyncDispose]();
  });

  async function body(path: string, headers: Record<string, string> = {}): Promise<string> {
    return (await fetch(gateway.origin + path, { headers })).text();
  }

  it.each([
    { by: "a header", send: (user: string) => body("/header", { "X-User": user }) },
    { by: "a cookie", send: (user: string) => body("/cookie", { Cookie: `other=1; sid=${user}` }) },
    { by: "a template", send: (user: string) => body(`/template/x?user=${user}`) },
  ])("chash keeps each key of $by on one node and spreads the keys", async ({ send }) => {
    const seen = new Map<string, Set<string>>();
    for (let round = 0; round < 3; round += 1) {
      for (let user = 0; user < 20; user += 1) {
        const name = await send(`user-${user}`);
        seen.set(`user-${user}`, (seen.get(`user-${user}`) ?? new Set()).add(name));
      }
    }
    const names = [...seen.values()].map((set) => [...set].join());
    expect(names.every((name) => name.length === 1)).toBe(true);
    expect(new Set(names)).toEqual(new Set(["a", "b", "c"]));
  });

  it("ewma answers from the nodes there are", async () => {
    const names = new Set<string>();
    for (let count = 0; count < 60; count += 1) names.add(await body("/ewma"));
    expect([...names].sort()).toEqual(["a", "b", "c"]);
  });

  it("ewma avoids the node that is slow", async () => {
    const [fast, slow] = echoes;
    slow?.replyWith({ body: "b", delayMs: 150 });
    const list = { [`127.0.0.1:${fast?.port}`]: 1, [`127.0.0.1:${slow?.port}`]: 1 };
    await gateway.route({ decay: { uri: "/decay", upstream: { type: "ewma", nodes: list } } });
    const names: string[] = [];
    for (let count = 0; count < 15; count += 1) names.push(await body("/decay"));
    slow?.replyWith({ body: "b" });
    // Each is tried once before anything is known of it.
    expect(names.filter((name) => name === "b").length).toBeLessThanOrEqual(2);
  });

  it.each(["requests", "WebSockets"])("least_conn shares %s that are open by weight", async (what) => {
    await using one = await startHolder();
    await using two = await startHolder();
    const nodes = { [`127.0.0.1:${one.port}`]: 3, [`127.0.0.1:${two.port}`]: 1 };
    await gateway.route({ open: { uri: "/open", enable_websocket: true, upstream: { type: "least_conn", nodes } } });
    await using clients = new AsyncDisposableStack();
    for (let count = 1; count <= 8; count += 1) {
      const client = clients.use(await rawClient(gateway.port));
      client.send(requestText({ target: "/open", fields: what === "WebSockets" ? HANDSHAKE : [] }));
      await eventually(() => one.held + two.held === count);
    }
    expect([one.held, two.held]).toEqual([6, 2]);
  });

  it("least_conn avoids the node that is busy, also across a change of the upstream", async () => {
    const held: ServerResponse[] = [];
    const slow: Server = createServer((_request, response) => held.push(response)).listen(0, "127.0.0.1");
    await once(slow, "listening");
    const address = slow.address();
    const busy = typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : "";
    const [first] = echoes;
    const upstream = (list: Record<string, number>) => ({
      least: { uri: "/least", upstream: { type: "least_conn", nodes: list } },
    });
    await gateway.route(upstream({ [busy]: 1 }));
    const waiting = [body("/least"), body("/least")];
    await eventually(() => held.length === 2);
    await gateway.route(upstream({ [busy]: 1, [`127.0.0.1:${first?.port}`]: 1 }));
    for (let count = 0; count < 6; count += 1) expect(await body("/least")).toBe("a");
    for (const response of held) response.end("busy");
    expect(await Promise.all(waiting)).toEqual(["busy", "busy"]);
    slow.closeAllConnections();
    slow.close();
  });

  it("uses nodes of a lower priority only while those above fail", async () => {
    const [main, backup] = echoes;
    const upstream = {
      type: "least_conn",
      nodes: [
        { host: "127.0.0.1", port: main?.port, weight: 1 },
        { host: "127.0.0.1", port: backup?.port, weight: 1, priority: -1 },
      ],
    };
    await gateway.route({ priority: { uri: "/priority", upstream } });
    for (let count = 0; count < 5; count += 1) expect(await body("/priority")).toBe("a");
    const down = { ...upstream, nodes: [{ host: "127.0.0.1", port: 1, weight: 1 }, upstream.nodes[1]] };
    await gateway.route({ priority: { uri: "/priority", upstream: down } });
    for (let count = 0; count < 5; count += 1) expect(await body("/priority")).toBe("b");
  });

  it("answers 500 for a way of balancing that it does not know", async () => {
    await gateway.route({ magic: { uri: "/magic", upstream: { type: "magic", nodes } } });
    expect((await fetch(`${gateway.origin}/magic`)).status).toBe(500);
  });
});

const HANDSHAKE = [
  ...["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"],
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/** A server that holds what it gets: requests without an answer, WebSockets open. */
async function startHolder(): Promise<{ readonly port: number; readonly held: number } & AsyncDisposable> {
  let held = 0;
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer(() => {
    held += 1;
  });
  server.on("upgrade", (request, socket, head) => {
    held += 1;
    sockets.handleUpgrade(request, socket, head, () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get held() {
      return held;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
