import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { KeyPair } from "@fngate/test-kit";
import { WebSocketServer } from "ws";

/** What one request came with, beside itself. */
export interface Witnessed {
  readonly host: string;
  /** Server name of the handshake; empty: none was sent. */
  readonly serverName: string;
  /** Protocols that the handshake offered. */
  readonly offered: readonly string[];
  /** Organization in the client's certificate; empty: it showed none. */
  readonly client: string;
  /** Number of the connection, from 1. */
  readonly connection: number;
}

/** An HTTPS server that answers with what it saw of the handshake, and echoes WebSocket messages. */
export class TlsWitness implements AsyncDisposable {
  readonly seen: Witnessed[] = [];
  /** Handshakes that failed. */
  failures = 0;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #connections = new Map<TLSSocket, { readonly number: number; readonly offered: readonly string[] }>();
  #offered: readonly string[] = [];

  constructor(pair: KeyPair, clientAuthority?: string) {
    this.#server = createServer(
      {
        ...pair,
        ...(clientAuthority === undefined ? {} : { ca: clientAuthority }),
        requestCert: true,
        rejectUnauthorized: clientAuthority !== undefined,
        ALPNCallback: ({ protocols }) => {
          this.#offered = protocols;
          return protocols.includes("http/1.1") ? "http/1.1" : undefined;
        },
      },
      (request, response) => {
        const witnessed = this.#witness(request);
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(witnessed));
      },
    );
    this.#server.on("secureConnection", (socket) => {
      this.#connections.set(socket, { number: this.#connections.size + 1, offered: this.#offered });
    });
    this.#server.on("tlsClientError", () => {
      this.failures += 1;
    });
    this.#server.on("upgrade", (request, socket, head) => {
      this.#witness(request);
      this.#sockets.handleUpgrade(request, socket, head, (opened) => {
        opened.on("message", (data) => opened.send(String(data)));
      });
    });
  }

  async listen(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #witness(request: IncomingMessage): Witnessed {
    const socket = request.socket as TLSSocket & { readonly servername?: string | false };
    const connection = this.#connections.get(socket);
    const witnessed = {
      host: request.headers.host ?? "",
      serverName: socket.servername || "",
      offered: connection?.offered ?? [],
      client: String(socket.getPeerCertificate().subject?.O ?? ""),
      connection: connection?.number ?? 0,
    };
    this.seen.push(witnessed);
    return witnessed;
  }
}
