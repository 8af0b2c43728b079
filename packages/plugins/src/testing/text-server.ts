import { createSocket } from "node:dgram";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

/** A server that remembers what it was sent. */
export interface TextServer extends AsyncDisposable {
  readonly port: number;
  /** One for each connection that has ended, or each datagram. */
  readonly texts: readonly string[];
  /** Names that were asked for with TLS. */
  readonly serverNames: readonly (string | false)[];
}

/** Listens on a TCP port of 127.0.0.1, with TLS if there is a certificate. */
export async function startTcpServer(tls?: { readonly key: string; readonly cert: string }): Promise<TextServer> {
  const texts: string[] = [];
  const serverNames: (string | false)[] = [];
  const sockets = new Set<Socket>();
  const take = (socket: Socket): void => {
    const chunks: Buffer[] = [];
    sockets.add(socket);
    // A client that resets its connection is a case under test.
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("end", () => texts.push(Buffer.concat(chunks).toString()));
    socket.on("close", () => sockets.delete(socket));
  };
  const server =
    tls === undefined
      ? createServer(take)
      : createTlsServer(tls, (socket) => {
          serverNames.push(socket.servername ?? false);
          take(socket);
        });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    texts,
    serverNames,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Listens on a UDP port of 127.0.0.1. */
export async function startUdpServer(): Promise<TextServer> {
  const texts: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (message) => texts.push(message.toString()));
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return {
    port: socket.address().port,
    texts,
    serverNames: [],
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(resolve)),
  };
}
