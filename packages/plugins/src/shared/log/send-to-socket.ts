import { createSocket } from "node:dgram";
import { connect, isIPv6, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { messageOf, timerDelay } from "@fngate/kernel";

/** A server that takes bytes. */
export interface SocketTarget {
  readonly host: string;
  readonly port: number;
  /** Longest wait without progress, milliseconds. */
  readonly timeoutMs: number;
}

/** How the server is spoken to over TLS; its certificate is not checked (APISIX: loggers). */
export interface SocketTls {
  /** Name that is asked for; absent: the host, if it is a name. */
  readonly serverName?: string | undefined;
}

/** Most bytes of a datagram's content over IPv4. */
export const MAX_DATAGRAM_BYTES = 65_507;

/** Connections that wait for the server's end, beside which older ones are cut. */
const MAX_LINGERING = 8;

/** Sends texts to one server, each over a connection of its own. */
export class TcpSender {
  readonly #target: SocketTarget;
  readonly #tls: SocketTls | undefined;
  /** Connections over which everything was sent, and which the server has not ended yet; the oldest first. */
  readonly #lingering = new Set<Socket>();

  constructor(target: SocketTarget, tls?: SocketTls) {
    this.#target = target;
    this.#tls = tls;
  }

  /** Resolves when the system has taken all of the text. */
  send(text: string): Promise<void> {
    const { host, port, timeoutMs } = this.#target;
    const { promise, reject, resolve } = Promise.withResolvers<void>();
    const socket = this.#connect();
    const fail = (cause: unknown): void => {
      socket.destroy();
      reject(new Error(`sending to ${host}:${port} failed: ${messageOf(cause)}`, { cause }));
    };
    socket.on("error", fail);
    socket.setTimeout(timerDelay(timeoutMs), () => fail(new Error("timeout")));
    // What the server says is nobody's concern, but its end is.
    socket.resume();
    // `end` calls its callback when sending failed as well, at times before the error is told.
    socket.once("finish", () => {
      this.#linger(socket);
      resolve();
    });
    socket.once("close", () => {
      this.#lingering.delete(socket);
      fail(new Error("closed"));
    });
    socket.end(text);
    return promise;
  }

  /** Cuts connections that only wait for the server's end; the system delivers what it has taken all the same. */
  close(): void {
    for (const socket of this.#lingering) socket.destroy();
  }

  #connect(): Socket {
    const { host, port } = this.#target;
    if (this.#tls === undefined) return connect({ host, port });
    const { serverName } = this.#tls;
    const name = serverName === undefined ? {} : { servername: serverName };
    return connectTls({ host, port, rejectUnauthorized: false, ...name });
  }

  /** Closing at once could take away what the server has not read yet, when it has said something itself. */
  #linger(socket: Socket): void {
    if (this.#lingering.size >= MAX_LINGERING) this.#lingering.values().next().value?.destroy();
    this.#lingering.add(socket);
  }
}

/** Sends texts as a datagram each, in order. */
export async function sendOverUdp({ host, port, timeoutMs }: SocketTarget, texts: readonly string[]): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const socket = createSocket({ type: isIPv6(host) ? "udp6" : "udp4" });
  const signal = AbortSignal.timeout(timerDelay(timeoutMs));
  signal.addEventListener("abort", () => reject(new Error("timeout")), { once: true });
  socket.once("error", reject);
  late.catch(() => undefined);
  try {
    for (const text of texts) {
      const sent = new Promise<void>((resolve, fail) => {
        socket.send(text, port, host, (error) => (error ? fail(error) : resolve()));
      });
      await Promise.race([sent, late]);
    }
  } catch (cause) {
    throw new Error(`sending to ${host}:${port} failed: ${messageOf(cause)}`, { cause });
  } finally {
    socket.close();
  }
}
