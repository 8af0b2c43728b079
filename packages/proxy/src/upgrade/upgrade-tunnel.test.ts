import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { eventually } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { type WebSocket as ServerSocket, WebSocket, WebSocketServer } from "ws";
import { prepareHeaders } from "../headers/request-headers.ts";
import { type TargetOverrides, TestConnections } from "../testing/exchange-fixture.ts";
import { RawConnection, type RawServer, startRawServer, unusedPort } from "../testing/raw-server.ts";
import { createUpgradeTunnel, type UpgradeExchange } from "./upgrade-tunnel.ts";

/** A server whose upgrades go through a tunnel to `port`. */
class Gateway implements AsyncDisposable {
  readonly exchanges: UpgradeExchange[] = [];
  readonly sockets = new Set<Socket>();
  readonly #connections = new TestConnections();
  readonly #server: Server;

  constructor(upstreamPort: number, overrides: TargetOverrides) {
    const endpoint = this.#connections.endpoint(upstreamPort, overrides);
    const renderFailure = (status: number) => ({ contentType: "text/plain", body: `failed with ${status}` });
    const tunnel = createUpgradeTunnel({ renderFailure });
    this.#server = createServer((_request, response) => response.end());
    this.#server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    this.#server.on("upgrade", (request, socket, head) => {
      const headers = ["Host", "node.test", ...prepareHeaders(request.rawHeaders)];
      this.exchanges.push(tunnel.open(endpoint, { request, socket, head, target: request.url ?? "/", headers }));
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#connections[Symbol.asyncDispose]();
  }
}

async function startGateway(upstreamPort: number, overrides: TargetOverrides = {}): Promise<Gateway> {
  const gateway = new Gateway(upstreamPort, overrides);
  await gateway.listen();
  return gateway;
}

/** A WebSocket server that echoes, and its sockets. */
class EchoSocketServer implements AsyncDisposable {
  readonly server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  readonly clients: ServerSocket[] = [];
  readonly requests: { readonly url: string; readonly rawHeaders: readonly string[] }[] = [];

  constructor() {
    this.server.on("connection", (socket, request) => {
      this.clients.push(socket);
      this.requests.push({ url: request.url ?? "", rawHeaders: request.rawHeaders });
      socket.on("error", () => undefined);
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async listen(): Promise<void> {
    await eventually(() => this.server.address() !== null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.server.clients) client.terminate();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

async function startEchoSockets(): Promise<EchoSocketServer> {
  const server = new EchoSocketServer();
  await server.listen();
  return server;
}

async function openClient(port: number, path = "/"): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { "X-Hop": "1", "X-Kept": "2" } });
  client.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => client.once("open", resolve).once("close", reject));
  return client;
}

const REQUEST =
  "GET /chat HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

function sendRaw(port: number): RawConnection {
  const client = new RawConnection(connect({ port, host: "127.0.0.1" }));
  client.socket.write(REQUEST);
  return client;
}

test("messages go both ways, and the node sees our Host and the path as it was sent", async () => {
  await using upstream = await startEchoSockets();
  await using gateway = await startGateway(upstream.port);
  const client = await openClient(gateway.port, "/a//b/?x=http://c");
  for (const message of ["hello", "x".repeat(200_000)]) {
    const answered = new Promise<string>((resolve) => client.once("message", (data) => resolve(String(data))));
    client.send(message);
    expect(await answered).toBe(message);
  }
  expect(upstream.requests[0]?.url).toBe("/a//b/?x=http://c");
  const headers = upstream.requests[0]?.rawHeaders.join("\n").toLowerCase() ?? "";
  expect(headers).toContain("host\nnode.test");
  expect(headers).toContain("x-kept\n2");
  expect(headers).not.toContain("127.0.0.1");
  client.close();
  expect(await gateway.exchanges[0]?.outcome).toEqual({ kind: "tunnelled", status: 101 });
  await eventually(() => upstream.server.clients.size === 0 && gateway.sockets.size === 0);
});

test("a client that vanishes takes its upstream socket along", async () => {
  await using upstream = await startEchoSockets();
  await using gateway = await startGateway(upstream.port);
  const client = await openClient(gateway.port);
  client.terminate();
  await eventually(() => upstream.server.clients.size === 0 && gateway.sockets.size === 0);
  expect(await gateway.exchanges[0]?.outcome).toEqual({ kind: "tunnelled", status: 101 });
});

test("an upstream that vanishes ends the client", async () => {
  await using upstream = await startEchoSockets();
  await using gateway = await startGateway(upstream.port);
  const client = await openClient(gateway.port);
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  await eventually(() => upstream.clients.length === 1);
  upstream.clients[0]?.terminate();
  await closed;
  await eventually(() => gateway.sockets.size === 0);
});

test("a client that leaves before the upstream answers leaks nothing", async () => {
  await using upstream = await startRawServer(() => undefined);
  await using gateway = await startGateway(upstream.port);
  const client = sendRaw(gateway.port);
  await eventually(() => upstream.connections[0]?.heads === 1);
  client.socket.resetAndDestroy();
  expect(await gateway.exchanges[0]?.outcome).toEqual({ kind: "cancelled" });
  await eventually(() => upstream.openCount === 0 && gateway.sockets.size === 0);
});

test("cancelling cuts both sides", async () => {
  await using upstream = await startEchoSockets();
  await using gateway = await startGateway(upstream.port);
  const client = await openClient(gateway.port);
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  gateway.exchanges[0]?.cancel();
  await closed;
  await eventually(() => upstream.server.clients.size === 0 && gateway.sockets.size === 0);
});

test("a tunnel without a byte for its idle limit is cut", async () => {
  await using upstream = await startEchoSockets();
  await using gateway = await startGateway(upstream.port, { timeouts: { readMs: 1_000, sendMs: 60_000 } });
  const client = await openClient(gateway.port);
  await new Promise<void>((resolve) => client.once("close", () => resolve()));
  await eventually(() => upstream.server.clients.size === 0 && gateway.sockets.size === 0);
});

test("an upstream that declines is relayed with its body framed anew", async () => {
  await using upstream = await startRawServer((connection) => {
    connection.socket.write(
      "HTTP/1.1 403 Not You\r\nTransfer-Encoding: chunked\r\nX-Why: secret\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n4\r\nnope\r\n0\r\n\r\n",
    );
  });
  await using gateway = await startGateway(upstream.port);
  const client = sendRaw(gateway.port);
  await eventually(() => client.isClosed);
  expect(client.received).toBe("HTTP/1.1 403 Not You\r\nConnection: close\r\nX-Why: secret\r\n\r\nnope");
  expect(await gateway.exchanges[0]?.outcome).toEqual({ kind: "declined", status: 403 });
  await eventually(() => upstream.openCount === 0 && gateway.sockets.size === 0);
});

test.each<{ name: string; status: number; reason: string; upstream: () => Promise<RawServer | undefined> }>([
  { name: "refuses", status: 502, reason: "refused", upstream: async () => undefined },
  { name: "closes", status: 502, reason: "reset", upstream: () => startRawServer(({ socket }) => socket.destroy()) },
  {
    name: "talks nonsense",
    status: 502,
    reason: "bad-response",
    upstream: () => startRawServer(({ socket }) => socket.write("nonsense\r\n\r\n")),
  },
  { name: "stays silent", status: 504, reason: "timeout", upstream: () => startRawServer(() => undefined) },
])("an upstream that $name gives the client $status", async ({ status, reason, upstream }) => {
  const server = await upstream();
  await using gateway = await startGateway(server?.port ?? (await unusedPort()), { timeouts: { readMs: 200 } });
  const client = sendRaw(gateway.port);
  await eventually(() => client.isClosed);
  const body = `failed with ${status}`;
  expect(client.received).toMatch(new RegExp(`^HTTP/1.1 ${status} [A-Za-z ]+\r\n`));
  expect(client.received).toContain(`Content-Length: ${body.length}\r\n`);
  expect(client.received.endsWith(`\r\n\r\n${body}`)).toBe(true);
  expect(await gateway.exchanges[0]?.outcome).toMatchObject({ kind: "failed", status, failure: { reason } });
  await eventually(() => gateway.sockets.size === 0);
  await server?.[Symbol.asyncDispose]();
});
