import { once } from "node:events";
import { connect, createServer, type IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { definePlugin } from "@fngate/plugin-kit";
import { expect, test } from "vitest";
import { z } from "zod";
import { catalogWith, startPlane } from "./testing/running-plane.ts";

/** Sends back what it gets, and keeps the heads. */
async function startGrpcServer() {
  const heads: IncomingHttpHeaders[] = [];
  const server = createServer();
  server.on("stream", (stream, headers) => {
    heads.push(headers);
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.pipe(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    heads,
    upstream: { type: "roundrobin", scheme: "grpc", nodes: { [`127.0.0.1:${port}`]: 1 } },
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("a gRPC upstream is called over HTTP/2 and is not told the client's address", async () => {
  await using server = await startGrpcServer();
  await using plane = await startPlane({ listen: [{ host: "127.0.0.1", port: 0, isHttp2Enabled: true }] });
  await plane.put("routes/1", { uri: "/echo.Echo/*", upstream: server.upstream });
  const headers = { Host: "echo.test", "Content-Type": "application/grpc", TE: "trailers" };
  const answer = await plane.send("/echo.Echo/Call", { method: "POST", headers, body: "frame" });
  expect(answer).toMatchObject({ status: 200, body: "frame" });
  expect(answer.headers["content-type"]).toBe("application/grpc");

  const session = connect(`http://127.0.0.1:${plane.portOf()}`);
  const call = session.request({
    ":method": "POST",
    ":path": "/echo.Echo/Call",
    ":authority": "echo.test",
    te: "trailers",
  });
  const trailers = once(call, "trailers");
  call.end("frame");
  call.resume();
  expect((await trailers)[0]).toMatchObject({ "grpc-status": "0" });
  session.destroy();
  const [head] = server.heads;
  expect(head).toMatchObject({ ":authority": "echo.test", ":path": "/echo.Echo/Call", te: "trailers" });
  expect(head).not.toHaveProperty("x-real-ip");
  expect(head).not.toHaveProperty("x-forwarded-for");
});

test("a gRPC upstream is not told the client's address where plugins look at the attempt either", async () => {
  const looking = definePlugin({
    name: "looking",
    version: 0.1,
    priority: 1,
    schema: z.looseObject({}),
    setup: () => ({
      beforeProxy: ({ request }) => {
        request.headers.set("X-Looked", "1");
      },
    }),
  });
  await using server = await startGrpcServer();
  await using plane = await startPlane({ catalog: catalogWith(looking) });
  await plane.put("routes/1", { uri: "/*", plugins: { looking: {} }, upstream: server.upstream });
  const answer = await plane.send("/echo.Echo/Call", { method: "POST", body: "frame" });
  expect(answer).toMatchObject({ status: 200, body: "frame" });
  expect(server.heads[0]).toHaveProperty("x-looked", "1");
  expect(server.heads[0]).not.toHaveProperty("x-real-ip");
  expect(server.heads[0]).not.toHaveProperty("x-forwarded-for");
});

test("a gRPC upstream gets an ordinary request where the client asks for a WebSocket", async () => {
  await using server = await startGrpcServer();
  await using plane = await startPlane();
  await plane.put("routes/1", { uri: "/*", enable_websocket: true, upstream: server.upstream });
  const received = await plane.raw("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  expect(received).toMatch(/^HTTP\/1\.1 200 /);
  expect(server.heads[0]).toMatchObject({ ":method": "GET", ":path": "/ws" });
  expect(server.heads[0]).not.toHaveProperty("upgrade");
});

test("a gRPC upstream that is not there is told from others by its reason", async () => {
  await using plane = await startPlane();
  await plane.put("routes/1", {
    uri: "/*",
    upstream: { type: "roundrobin", scheme: "grpc", nodes: { "127.0.0.1:1": 1 } },
  });
  const answer = await plane.send("/echo.Echo/Call", { method: "POST", body: "frame" });
  expect(answer.status).toBe(502);
  expect(JSON.parse(answer.body)).toMatchObject({ reason: "refused" });
});
