import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** A server that answers the first bytes of a connection, whatever they are, and hangs up. */
export interface Greeter extends AsyncDisposable {
  readonly port: number;
}

/** Starts a {@link Greeter}; `answer` may be empty. */
export async function startGreeter(answer: string): Promise<Greeter> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(answer));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
    },
  };
}
