import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { connect as connectTls } from "node:tls";
import { messageOf } from "@fngate/kernel";

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

/** Sends a text over a connection of its own; resolves when the system has taken all of it. */
export function sendOverTcp(target: SocketTarget, text: string, tls?: SocketTls): Promise<void> {
  const { host, port, timeoutMs } = target;
  const { promise, reject, resolve } = Promise.withResolvers<void>();
  const name = tls?.serverName;
  const socket =
    tls === undefined
      ? connect({ host, port })
      : connectTls({ host, port, rejectUnauthorized: false, ...(name !== undefined && { servername: name }) });
  const fail = (cause: unknown): void => {
    socket.destroy();
    reject(new Error(`sending to ${host}:${port} failed: ${messageOf(cause)}`, { cause }));
  };
  socket.on("error", fail);
  // Also ends a connection that the server does not close.
  socket.setTimeout(timeoutMs, () => fail(new Error("timeout")));
  // What the server says is nobody's concern, but its end is.
  socket.resume();
  // `end` calls its callback when sending failed as well, at times before the error is told.
  socket.once("finish", resolve);
  socket.once("close", () => fail(new Error("closed")));
  socket.end(text);
  return promise;
}

/** Sends texts as a datagram each, in order. */
export async function sendOverUdp({ host, port, timeoutMs }: SocketTarget, texts: readonly string[]): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const socket = createSocket({ type: isIPv6(host) ? "udp6" : "udp4" });
  const signal = AbortSignal.timeout(timeoutMs);
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
