import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startPlane } from "../testing/running-plane.ts";

/** More than the system keeps between two sockets of this machine. */
const LARGE_BYTES = 32 * 1024 * 1024;

const ANSWER = "HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nnone";

/** A server that answers as soon as a request begins and reads no more of it. */
async function startHasty(): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    socket.once("data", () => socket.pause().write(ANSWER));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Uploads all the bytes before it reads, and returns what came, or the error that the connection ended with. */
async function upload(port: number, connection: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let received = "";
  let failure: Error | undefined;
  socket.on("data", (data: Buffer) => {
    received += data.toString();
  });
  socket.on("error", (error) => {
    failure = error;
  });
  const head = ["POST /x HTTP/1.1", "Host: a", `Connection: ${connection}`, `Content-Length: ${LARGE_BYTES}`];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  const sent = new Promise<void>((resolve) => socket.write(Buffer.alloc(LARGE_BYTES, "x"), () => resolve()));
  await Promise.race([sent, once(socket, "close")]);
  if (connection === "close" && !socket.closed) await once(socket, "close");
  return failure === undefined ? received : failure.message;
}

test.each(["close", "keep-alive"])("a client that goes on uploading gets its early answer (%s)", async (connection) => {
  const upstreamPort = await startHasty();
  await using plane = await startPlane();
  await plane.put("routes/1", { uri: "/x", upstream: { nodes: { [`127.0.0.1:${upstreamPort}`]: 1 } } });
  const received = await upload(plane.portOf(), connection);
  expect(received).toMatch(/^HTTP\/1\.1 403 No\r\n/);
  expect(received).toMatch(/none$/);
});
