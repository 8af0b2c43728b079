import { once } from "node:events";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";

/** What a TLS client saw. */
export interface TlsExchange {
  /** Everything that came, as text; empty when nothing was asked. */
  readonly text: string;
  readonly isResumed: boolean;
  /** To be resumed with. */
  readonly session: Buffer | undefined;
  /** SHA-256 of the server's certificate. */
  readonly fingerprint: string;
}

/** Shakes hands without checking the server; rejects when the handshake fails. */
export async function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect");
  return socket;
}

/** Shakes hands, sends a text and collects the answer until the gateway closes; rejects when either fails. */
export async function talk(port: number, text: string, options: ConnectionOptions = {}): Promise<TlsExchange> {
  const socket = await handshake(port, options);
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? "";
  const isResumed = socket.isSessionReused();
  const session = socket.getSession();
  socket.write(text, "latin1");
  let received = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    received += chunk;
  });
  await once(socket, "close");
  return { text: received, isResumed, session, fingerprint };
}
