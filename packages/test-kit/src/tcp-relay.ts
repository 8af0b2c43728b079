import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP relay in front of a server of the same machine, to cut what lies between two parties. */
export interface TcpRelay extends AsyncDisposable {
  /** Where the relay listens on 127.0.0.1. */
  readonly port: number;
  /** How many connections were ever accepted. */
  readonly connections: number;
  /** Fault: cuts every connection and refuses new ones, until {@link TcpRelay.open}. */
  cut(): Promise<void>;
  /** Fault: passes nothing on any more, with every connection left open; what comes is lost. */
  stall(): void;
  /** Listens again on the same port. */
  open(): Promise<void>;
}

/** Starts a {@link TcpRelay} to a port of 127.0.0.1. */
export async function startTcpRelay(targetPort: number): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let isStalled = false;
  const hold = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((near) => {
    connections += 1;
    const far = hold(connect(targetPort, "127.0.0.1"));
    for (const [from, to] of [
      [hold(near), far],
      [far, near],
    ] as const) {
      from.on("data", (data) => isStalled || to.write(data));
      from.on("end", () => isStalled || to.end());
      from.on("error", () => to.destroy());
    }
  });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(port, "127.0.0.1", resolve);
    });
  const cut = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    get connections() {
      return connections;
    },
    cut,
    stall: () => {
      isStalled = true;
    },
    open: async () => {
      isStalled = false;
      if (!server.listening) await listen(port);
    },
    [Symbol.asyncDispose]: cut,
  };
}
