import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { eventually, startEchoUpstream } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { type RunningPlane, startPlane } from "../testing/running-plane.ts";

/** An upstream whose first answer waits until it is let go, and a plane in front of it. */
async function startGated() {
  const gate = Promise.withResolvers<void>();
  const upstream = await startEchoUpstream({
    reply: async (request) => {
      if (request.url.startsWith("/slow")) await gate.promise;
      return { body: request.url };
    },
  });
  const plane = await startPlane();
  const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
  await plane.put("routes/1", { uri: "/*", enable_websocket: true, upstream: { nodes } });
  const stack = new AsyncDisposableStack();
  stack.use(upstream);
  stack.use(plane);
  return { plane, upstream, open: gate.resolve, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function connectTo(plane: RunningPlane): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect(plane.portOf(), "127.0.0.1");
  await once(socket, "connect");
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
  });
  socket.on("error", () => {});
  return { socket, received: () => text };
}

const get = (path: string, ...fields: readonly string[]) =>
  `${[`GET ${path} HTTP/1.1`, "Host: a", ...fields].join("\r\n")}\r\n\r\n`;

test("a pipelined request reaches its upstream only after the answer before it has ended", async () => {
  await using gated = await startGated();
  const { socket } = await connectTo(gated.plane);
  const closed = once(socket, "close");
  socket.write(get("/slow") + get("/second") + get("/third", "Connection: close"));
  await gated.upstream.request(1);
  // A request of another client goes all the way meanwhile: had the second one been started, it would be there.
  expect((await gated.plane.send("/other")).status).toBe(200);
  expect(gated.upstream.requests.map(({ url }) => url)).toEqual(["/slow", "/other"]);
  gated.open();
  await closed;
  expect(gated.upstream.requests.map(({ url }) => url)).toEqual(["/slow", "/other", "/second", "/third"]);
});

test("a pipelined request with a body gets all of it, however late it comes", async () => {
  await using gated = await startGated();
  const { socket, received } = await connectTo(gated.plane);
  const body = "x".repeat(300_000);
  socket.write(`${get("/slow")}POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
  await gated.upstream.request(1);
  socket.write(body.slice(0, 200_000));
  expect((await gated.plane.send("/other")).status).toBe(200);
  gated.open();
  socket.write(body.slice(200_000) + get("/third", "Connection: close"));
  await once(socket, "close");
  const urls = gated.upstream.requests.map(({ url }) => url);
  expect(urls).toEqual(["/slow", "/other", "/second", "/third"]);
  expect(gated.upstream.requests[2]?.body.toString()).toBe(body);
  expect(received().match(/HTTP\/1\.1 200 /g)).toHaveLength(3);
});

test("a pipelined upgrade is answered as an ordinary request, after the answer before it", async () => {
  await using gated = await startGated();
  const { socket, received } = await connectTo(gated.plane);
  const closed = once(socket, "close");
  socket.write(get("/slow") + get("/second", "Connection: Upgrade, close", "Upgrade: websocket"));
  await gated.upstream.request(1);
  expect((await gated.plane.send("/other")).status).toBe(200);
  gated.open();
  await closed;
  expect(gated.upstream.requests.map(({ url }) => url)).toEqual(["/slow", "/other", "/second"]);
  expect(received().match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
});

test.each([
  ["no HTTP at all", "nonsense\r\n\r\n"],
  ["CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"],
])("%s behind a request leaves the answer to that request alone and ends the connection", async (_, bytes) => {
  await using gated = await startGated();
  const { socket, received } = await connectTo(gated.plane);
  const closed = once(socket, "close");
  socket.write(get("/slow") + bytes);
  await gated.upstream.request(1);
  expect((await gated.plane.send("/other")).status).toBe(200);
  expect(received()).toBe("");
  gated.open();
  await closed;
  expect(received()).toMatch(/^HTTP\/1\.1 200 /);
  expect(received()).toContain("/slow");
  expect(received().match(/HTTP\/1\.1 /g)).toHaveLength(1);
});

test("requests that waited behind an answer are forgotten with their connection", async () => {
  await using gated = await startGated();
  const { socket } = await connectTo(gated.plane);
  socket.write(get("/slow") + get("/second") + get("/third"));
  await gated.upstream.request(1);
  socket.destroy();
  gated.open();
  await gated.plane.stop();
  expect(gated.upstream.requests.map(({ url }) => url)).toEqual(["/slow"]);
  await eventually(() => expect(gated.plane.accessLog).toHaveLength(1));
});
