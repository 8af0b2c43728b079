import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { eventually } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { TcpSender } from "./send-to-socket.ts";

/** A server on a port of its own that does so with every connection. */
async function startServer(onConnection: (socket: Socket) => void = () => undefined, allowHalfOpen = false) {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.resume();
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    sockets,
    target: { host: "127.0.0.1", port: (server.address() as AddressInfo).port, timeoutMs: 5_000 },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Whether the client has gone, although the server has not ended the connection: it cannot be told anything more. */
function isCut(socket: Socket): boolean {
  if (!socket.destroyed) socket.write("?");
  return socket.destroyed;
}

describe("TcpSender", () => {
  it("cuts connections that a server keeps open when nobody sends any more", async () => {
    await using server = await startServer(undefined, true);
    const sender = new TcpSender(server.target);
    await Promise.all([sender.send("a"), sender.send("b")]);
    await eventually(() => expect(server.sockets).toHaveLength(2));
    sender.close();
    await eventually(() => expect(server.sockets.map(isCut)).toEqual([true, true]));
  });

  it("leaves a bounded number of connections open to a server that never ends one", async () => {
    await using server = await startServer(undefined, true);
    const sender = new TcpSender(server.target);
    for (let count = 0; count < 11; count += 1) await sender.send("a");
    await eventually(() => expect(server.sockets.filter(isCut)).toHaveLength(3));
    sender.close();
  });

  it("fails when the server resets the connection before it took everything", async () => {
    await using server = await startServer((socket) => socket.resetAndDestroy());
    await expect(new TcpSender(server.target).send("x".repeat(32 * 1024 * 1024))).rejects.toThrow(
      /^sending to 127\.0\.0\.1:\d+ failed: /,
    );
  });

  it("fails when the server speaks no TLS", async () => {
    await using server = await startServer((socket) => socket.end("no TLS"));
    await expect(new TcpSender(server.target, {}).send("x")).rejects.toThrow(/^sending to 127\.0\.0\.1:\d+ failed: /);
  });

  it("fails when the server resets the connection instead of speaking TLS", async () => {
    await using server = await startServer((socket) => socket.resetAndDestroy());
    await expect(new TcpSender(server.target, {}).send("x")).rejects.toThrow(/^sending to 127\.0\.0\.1:\d+ failed: /);
  });
});
