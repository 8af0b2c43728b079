import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { sendOverTcp } from "./send-to-socket.ts";

/** A server on a port of its own that does so with every connection. */
async function startServer(onConnection: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.resume();
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    target: { host: "127.0.0.1", port: (server.address() as AddressInfo).port, timeoutMs: 5_000 },
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("sendOverTcp", () => {
  it("fails when the server resets the connection before it took everything", async () => {
    await using server = await startServer((socket) => socket.resetAndDestroy());
    await expect(sendOverTcp(server.target, "x".repeat(32 * 1024 * 1024))).rejects.toThrow(
      /^sending to 127\.0\.0\.1:\d+ failed: /,
    );
  });

  it("fails when the server speaks no TLS", async () => {
    await using server = await startServer((socket) => socket.end("no TLS"));
    await expect(sendOverTcp(server.target, "x", {})).rejects.toThrow(/^sending to 127\.0\.0\.1:\d+ failed: /);
  });

  it("fails when the server resets the connection instead of speaking TLS", async () => {
    await using server = await startServer((socket) => socket.resetAndDestroy());
    await expect(sendOverTcp(server.target, "x", {})).rejects.toThrow(/^sending to 127\.0\.0\.1:\d+ failed: /);
  });
});
