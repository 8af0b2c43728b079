import { once } from "node:events";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { type ConnectionOptions, connect } from "node:tls";

/** One HTTP/1.1 request on a TLS connection of its own. */
export interface TlsRequest extends Pick<ConnectionOptions, "cert" | "key" | "socket"> {
  /** What the handshake asks for; default: no name. */
  readonly servername?: string;
  /** The Host field; default: the server's name. */
  readonly host?: string;
  /** As it goes out; default `/`. */
  readonly path?: string;
}

/** What came of it; status 0 when the connection ended without an answer. */
export interface TlsAnswer {
  readonly status: number;
  /** The body, or what went wrong. */
  readonly text: string;
}

/** Asks the gateway without looking at its certificate. */
export function tlsRequest(port: number, { host, servername = "", ...options }: TlsRequest): Promise<TlsAnswer> {
  return new Promise((resolve) => {
    const connection = { host: "127.0.0.1", port, servername, rejectUnauthorized: false, agent: false } as const;
    const headers = { host: host ?? servername };
    const sent = request({ ...connection, ...options, headers }, (answer) => {
      const { statusCode = 0 } = answer;
      text(answer).then(
        (body) => resolve({ status: statusCode, text: body }),
        (error: Error) => resolve({ status: 0, text: error.message }),
      );
    });
    sent.on("error", (error) => resolve({ status: 0, text: error.message }));
    sent.end();
  });
}

/** A TLS connection that stays. */
export interface TlsConnection extends AsyncDisposable {
  /** SHA-256 of the certificate that the handshake showed. */
  readonly fingerprint: string;
  /** The status of a request on it; rejects when the connection is gone. */
  ask(): Promise<number>;
}

/** Shakes hands without looking at the gateway's certificate. */
export async function openTlsConnection(port: number, servername: string): Promise<TlsConnection> {
  const socket = connect({ host: "127.0.0.1", port, servername, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { fingerprint256 } = socket.getPeerCertificate();
  let received = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    received += chunk;
  });
  return {
    fingerprint: fingerprint256,
    ask: async () => {
      received = "";
      socket.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\n\r\n`);
      // The body ends what is answered: `served`, or a chunk of it.
      while (!received.includes("served")) await once(socket, "data", { signal: AbortSignal.timeout(10_000) });
      return Number(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1]);
    },
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      if (!socket.closed) await once(socket, "close");
    },
  };
}
