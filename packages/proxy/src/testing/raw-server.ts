import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** One accepted connection and everything that came over it. */
export class RawConnection {
  readonly socket: Socket;
  /** What arrived so far, as latin-1 text. */
  received = "";
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (data) => {
      this.received += data.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.isClosed = true;
    });
  }

  /** How many complete request heads arrived. */
  get heads(): number {
    return this.received.split("\r\n\r\n").length - 1;
  }
}

/** Called for each piece of data; `connection.received` already holds it. */
export type RawHandler = (connection: RawConnection, index: number) => void;

/** A TCP server that shows and sends bytes as they are. */
export class RawServer implements AsyncDisposable {
  readonly connections: RawConnection[] = [];
  readonly #server: Server;

  constructor(onData: RawHandler) {
    this.#server = createServer({ allowHalfOpen: false }, (socket) => {
      const connection = new RawConnection(socket);
      const index = this.connections.push(connection) - 1;
      socket.on("data", () => onData(connection, index));
    });
  }

  async listen(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.listen(0, "127.0.0.1", resolve);
    await promise;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openCount(): number {
    return this.connections.filter(({ isClosed }) => !isClosed).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const { socket } of this.connections) socket.destroy();
    await promise;
  }
}

/** Starts a {@link RawServer}. */
export async function startRawServer(onData: RawHandler): Promise<RawServer> {
  const server = new RawServer(onData);
  await server.listen();
  return server;
}

/** Answers each complete request head with the same bytes. */
export function answering(bytes: string): RawHandler {
  const answered = new WeakMap<RawConnection, number>();
  return (connection) => {
    for (let count = answered.get(connection) ?? 0; count < connection.heads; count += 1) {
      answered.set(connection, count + 1);
      connection.socket.write(bytes, "latin1");
    }
  };
}

/** A port nothing listens on. */
export async function unusedPort(): Promise<number> {
  const server = await startRawServer(() => undefined);
  const { port } = server;
  await server[Symbol.asyncDispose]();
  return port;
}
