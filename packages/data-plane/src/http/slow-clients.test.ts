import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { eventually, FakeClock, startEchoUpstream } from "@fngate/test-kit";
import { expect, onTestFinished, test } from "vitest";
import { startPlane } from "../testing/running-plane.ts";
import { STALL_LIMIT_MS } from "./stall-watch.ts";

const nodes = (port: number) => ({ nodes: { [`127.0.0.1:${port}`]: 1 } });

async function startSlow(upstreamPort: number) {
  const clock = new FakeClock();
  const plane = await startPlane({ clock, publishIntervalMs: 0 });
  await plane.store.put("/apisix/routes/1", JSON.stringify({ uri: "/x", upstream: nodes(upstreamPort) }));
  await eventually(async () => {
    await clock.advance(1);
    expect((await plane.send("/x")).status).toBe(200);
  });
  const socket = connect(plane.portOf(), "127.0.0.1");
  await once(socket, "connect");
  const closed = once(socket, "close").then(() => true);
  return { clock, plane, socket, closed };
}

test("an upload that stalls is cut after the limit; one that moves, however slowly, is not", async () => {
  let receivedBytes = 0;
  const upstream = createServer((request, response) => {
    if (request.method === "GET") response.end();
    request.on("data", (chunk: Buffer) => {
      receivedBytes += chunk.length;
    });
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  onTestFinished(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const { clock, plane, socket, closed } = await startSlow((upstream.address() as AddressInfo).port);
  await using _ = plane;
  socket.resume();
  socket.write("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
  for (let sent = 1; sent <= 4; sent += 1) {
    socket.write("x");
    await eventually(() => expect(receivedBytes).toBe(sent));
    await clock.advance(STALL_LIMIT_MS * 0.6);
    expect(socket.destroyed).toBe(false);
  }
  await clock.advance(STALL_LIMIT_MS * 2);
  expect(await closed).toBe(true);
});

test("a client that waits for a slow upstream is left alone", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isSlow = false;
  await using upstream = await startEchoUpstream({
    reply: async () => {
      if (isSlow) await promise;
      return { body: "late" };
    },
  });
  const { clock, plane, socket } = await startSlow(upstream.port);
  await using _ = plane;
  isSlow = true;
  const count = upstream.requests.length;
  socket.write("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  await upstream.request(count + 1);
  await clock.advance(STALL_LIMIT_MS * 3);
  resolve();
  const [chunk] = await once(socket, "data");
  expect(String(chunk)).toMatch(/^HTTP\/1.1 200 /);
});
