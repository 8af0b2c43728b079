import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { definePlugin } from "@fngate/plugin-kit";
import { eventually, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { z } from "zod";
import { catalogWith, sendRequest, startPlane } from "./testing/running-plane.ts";

const nodes = (port: number) => ({ nodes: { [`127.0.0.1:${port}`]: 1 } });

async function startSocketServer() {
  const http = createServer((_request, response) => response.writeHead(426).end());
  const server = new WebSocketServer({ server: http });
  const headers: Record<string, unknown>[] = [];
  server.on("connection", (socket, request) => {
    headers.push({ ...request.headers, url: request.url });
    socket.on("message", (data) => socket.send(`echo ${data}`));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  return {
    port,
    headers,
    server,
    [Symbol.asyncDispose]: async () => {
      for (const client of server.clients) client.terminate();
      http.close();
    },
  };
}

const deny = definePlugin({
  name: "deny",
  version: 0.1,
  priority: 1,
  schema: z.looseObject({}),
  setup: () => ({ access: async () => ({ kind: "reply", status: 403, body: { message: "no" } }) }),
});

describe("a WebSocket", () => {
  test("is tunnelled where the route allows it, and is logged with 101 when it ends", async () => {
    await using target = await startSocketServer();
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/ws", enable_websocket: true, upstream: nodes(target.port) });
    const socket = new WebSocket(`ws://127.0.0.1:${plane.portOf()}/ws?a=1`);
    await once(socket, "open");
    socket.send("hi");
    const [message] = await once(socket, "message");
    expect(String(message)).toBe("echo hi");
    expect(target.headers[0]).toMatchObject({ url: "/ws?a=1", "x-real-ip": "127.0.0.1", "x-forwarded-proto": "http" });
    expect(plane.accessLog).toHaveLength(0);
    socket.close();
    await eventually(() => expect(plane.accessLog[0]).toContain('"GET /ws?a=1 HTTP/1.1" 101 '));
  });

  test("is allowed by the service unless the route says no", async () => {
    await using target = await startSocketServer();
    await using plane = await startPlane();
    await plane.put("services/s", { enable_websocket: true, upstream: nodes(target.port) });
    await plane.put("routes/1", { uri: "/yes", service_id: "s" });
    await plane.put("routes/2", { uri: "/no", service_id: "s", enable_websocket: false });
    const yes = new WebSocket(`ws://127.0.0.1:${plane.portOf()}/yes`);
    await once(yes, "open");
    yes.terminate();
    const no = new WebSocket(`ws://127.0.0.1:${plane.portOf()}/no`);
    const [error] = await once(no, "error");
    expect(error.message).toContain("426");
  });

  test("is what Connection is passed on for: a plain request on such a route keeps it to itself", async () => {
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/ws", enable_websocket: true, upstream: nodes(upstream.port) });
    expect((await plane.send("/ws", { headers: { Connection: "close" } })).status).toBe(200);
    expect((await upstream.request()).headers["connection"]).toBeUndefined();
  });

  test("passes the plugins first, and a plugin's answer is an ordinary one", async () => {
    await using target = await startSocketServer();
    await using plane = await startPlane({ catalog: catalogWith(deny) });
    await plane.put("routes/1", {
      uri: "/ws",
      enable_websocket: true,
      upstream: nodes(target.port),
      plugins: { deny: {} },
    });
    const received = await plane.raw(
      "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    expect(received).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(received).toMatch(/\r\n\r\n\{"message":"no"\}\n$/);
    expect(target.headers).toHaveLength(0);
    await eventually(() => expect(plane.accessLog[0]).toContain('" 403 '));
  });

  test.each([
    { what: "refuses connections", upstream: nodes(1), status: 502, reason: "refused" },
    { what: "has no nodes", upstream: { nodes: {} }, status: 503, reason: "no-nodes" },
  ])("to an upstream that $what gets $status, and body, log and metrics say why", async (expected) => {
    const { reason, status, upstream } = expected;
    await using plane = await startPlane({
      accessLogFormat: "json",
      metrics: { host: "127.0.0.1", port: 0 },
    });
    await plane.put("routes/1", { uri: "/ws", enable_websocket: true, upstream });
    const received = await plane.raw(
      "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(received).toContain(`"reason":"${reason}"}`);
    await eventually(() => expect(JSON.parse(plane.accessLog[0] ?? "{}")).toMatchObject({ status, reason }));
    const metrics = await sendRequest(plane.portOf("metrics"), "/apisix/prometheus/metrics");
    expect(metrics.body).toContain(`fngate_upstream_failures_total{reason="${reason}"} 1`);
  });

  test("does not keep a deleted upstream's nodes being probed", async () => {
    await using target = await startSocketServer();
    await using probed = await startEchoUpstream();
    await using plane = await startPlane();
    const active = { port: probed.port, healthy: { interval: 1 }, unhealthy: { interval: 1 } };
    await plane.put("upstreams/u", { ...nodes(target.port), checks: { active } });
    await plane.put("routes/1", { uri: "/ws", enable_websocket: true, upstream_id: "u" });
    const socket = new WebSocket(`ws://127.0.0.1:${plane.portOf()}/ws`);
    await once(socket, "open");
    expect(plane.plane.listHealth()).toHaveLength(1);
    await eventually(() => expect(probed.requests.length).toBeGreaterThan(0));
    await plane.remove("upstreams/u");
    expect(plane.plane.listHealth()).toEqual([]);
    // The tunnel lives on.
    socket.send("hi");
    const [message] = await once(socket, "message");
    expect(String(message)).toBe("echo hi");
    socket.terminate();
  });

  test("does not keep the gateway from stopping", async () => {
    await using target = await startSocketServer();
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/ws", enable_websocket: true, upstream: nodes(target.port) });
    const socket = new WebSocket(`ws://127.0.0.1:${plane.portOf()}/ws`);
    await once(socket, "open");
    const closed = once(socket, "close");
    await expect(plane.stop(20)).rejects.toMatchObject({ code: "LIFECYCLE_DRAIN_TIMEOUT" });
    await closed;
  });

  test("that the upstream declines gets its answer", async () => {
    await using upstream = await startEchoUpstream({ reply: { status: 200, body: "declined" } });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/ws", enable_websocket: true, upstream: nodes(upstream.port) });
    const received = await plane.raw(
      "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    expect(received).toMatch(/^HTTP\/1\.1 200 /);
    expect(received).toContain("declined");
  });
});
