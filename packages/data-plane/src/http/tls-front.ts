import { constants, createPrivateKey } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { type Logger, messageOf } from "@fngate/kernel";
import type { CompiledSsl, TlsKeyPair, TlsProtocol } from "../compile/snapshot.ts";
import type { SnapshotCell } from "../snapshot-cell.ts";
import { type ClientConnection, connectionOf, describeConnection } from "./client-connection.ts";
import type { ClientHello } from "./client-hello.ts";
import { ClientTls } from "./client-tls.ts";
import { type TicketedTlsSettings, ticketSettings } from "./session-tickets.ts";

export interface TlsFrontOptions {
  readonly cell: SnapshotCell;
  readonly settings: TicketedTlsSettings;
  /** Protocols to agree on, the most wanted first. */
  readonly alpn: readonly string[];
  readonly handshakeTimeoutMs: number;
  readonly logger: Logger;
}

/** A connection in the middle of its handshake. */
interface PendingHandshake {
  readonly connection: ClientConnection;
  readonly onSecure: (socket: TLSSocket) => void;
}

const DEFAULT_PROTOCOLS: readonly TlsProtocol[] = ["TLSv1.2", "TLSv1.3"];

/** APISIX's default of `apisix.ssl.ssl_ciphers`: forward secrecy and authenticated encryption only. */
const DEFAULT_CIPHERS = [
  ...["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"],
  ...["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"],
  ...["DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384"],
].join(":");

/** Suites of TLS 1.3 have names of their own, which nginx leaves to the library. */
const TLS13_CIPHERS = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";

const SWITCHES: Readonly<Record<TlsProtocol, number>> = {
  "TLSv1.1": constants.SSL_OP_NO_TLSv1_1,
  "TLSv1.2": constants.SSL_OP_NO_TLSv1_2,
  "TLSv1.3": constants.SSL_OP_NO_TLSv1_3,
};

/** A fatal alert before anything was agreed on: `unrecognized_name` (RFC 6066 section 3). */
export const UNRECOGNIZED_NAME_ALERT = Buffer.from([21, 3, 3, 0, 2, 2, 112]);

/**
 * Shakes hands on the connections of a TLS port. Every certificate object has a TLS context of its own, so that
 * versions, client certificates and sessions never pass from one to another; it is made with the first handshake and
 * goes with the object. A changed object serves the next handshake, open connections keep what they have.
 */
export class TlsFront {
  readonly #options: TlsFrontOptions;
  readonly #acceptors = new WeakMap<CompiledSsl, Server>();
  /** Connections in the middle of a handshake, by their ends: Node does not say which one became secure. */
  readonly #pending = new Map<string, PendingHandshake>();

  constructor(options: TlsFrontOptions) {
    this.#options = options;
  }

  /** Shakes hands with a client; `false` when no certificate is there for it. A handshake that fails closes the socket. */
  accept(socket: Socket, hello: ClientHello, onSecure: (socket: TLSSocket) => void): boolean {
    const { cell, logger, settings } = this.#options;
    const serverName = hello.serverName ?? settings.fallbackSni?.toLowerCase();
    const ssl = serverName === undefined ? undefined : cell.current.certificates.find(serverName);
    const connection = connectionOf(socket);
    const acceptor = ssl && this.#acceptorFor(ssl);
    if (acceptor === undefined) {
      const reason = serverName === undefined ? "the client named no server" : `no certificate for ${serverName}`;
      logger.info({ client: connection.peerAddress, reason }, "tls handshake refused");
      return false;
    }
    const key = keyOf(socket);
    this.#pending.set(key, { connection, onSecure });
    socket.once("close", () => this.#pending.delete(key));
    acceptor.emit("connection", socket);
    return true;
  }

  #acceptorFor(ssl: CompiledSsl): Server | undefined {
    let acceptor = this.#acceptors.get(ssl);
    if (acceptor !== undefined) return acceptor;
    try {
      acceptor = this.#createAcceptor(ssl);
    } catch (error) {
      this.#options.logger.error({ ssl: ssl.id, reason: messageOf(error) }, "certificate cannot be used");
      return undefined;
    }
    acceptor.on("secureConnection", (socket) => this.#onSecure(socket, ssl));
    acceptor.on("tlsClientError", (error, socket) => this.#onError(error, socket));
    this.#acceptors.set(ssl, acceptor);
    return acceptor;
  }

  /** A TLS server that never listens: connections are given to it. */
  #createAcceptor(ssl: CompiledSsl): Server {
    const { alpn, handshakeTimeoutMs, settings } = this.#options;
    const { protocols = settings.protocols ?? DEFAULT_PROTOCOLS, client } = ssl;
    // Sessions of clients that show a certificate are never resumed: every connection is verified anew.
    const hasTickets = settings.sessionTickets === true && client === undefined;
    const pairs = lastOfEachKind(ssl.pairs);
    return createServer({
      cert: pairs.map(({ cert }) => cert),
      key: pairs.map(({ key }) => key),
      minVersion: "TLSv1.1",
      maxVersion: "TLSv1.3",
      ciphers: ciphersFor(protocols, settings.ciphers ?? DEFAULT_CIPHERS),
      honorCipherOrder: true,
      dhparam: "auto",
      secureOptions: secureOptionsFor(protocols, hasTickets),
      ...(hasTickets && ticketSettings(settings.ticketSecret, ssl)),
      ALPNProtocols: [...alpn],
      handshakeTimeout: handshakeTimeoutMs,
      ...(client && { ca: client.ca, requestCert: true, rejectUnauthorized: client.skip === undefined }),
    });
  }

  #onSecure(socket: TLSSocket, ssl: CompiledSsl): void {
    const { settings } = this.#options;
    const key = keyOf(socket);
    const pending = this.#pending.get(key);
    this.#pending.delete(key);
    socket.disableRenegotiation();
    const serverName = (socket.servername || settings.fallbackSni || "").toLowerCase().replace(/\.$/, "");
    const tls = new ClientTls(socket, { serverName, ssl });
    if (pending === undefined || (ssl.client?.skip === undefined && tls.verify.startsWith("FAILED"))) {
      socket.destroy();
      return;
    }
    describeConnection(socket, { ...pending.connection, tls });
    pending.onSecure(socket);
  }

  #onError(error: Error, socket: TLSSocket): void {
    const code = "code" in error ? error.code : undefined;
    this.#options.logger.debug({ client: socket.remoteAddress, code, reason: error.message }, "tls handshake failed");
    socket.destroy();
  }
}

/** A connection's two ends. */
function keyOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}

/** TLS 1.1 signs with SHA-1, which OpenSSL refuses above its lowest level; whoever allows that version means it. */
function ciphersFor(protocols: readonly TlsProtocol[], ciphers: string): string {
  const level = protocols.includes("TLSv1.1") ? ":@SECLEVEL=0" : "";
  return `${TLS13_CIPHERS}:${ciphers}${level}`;
}

function secureOptionsFor(protocols: readonly TlsProtocol[], hasTickets: boolean): number {
  let options = constants.SSL_OP_CIPHER_SERVER_PREFERENCE | constants.SSL_OP_NO_RENEGOTIATION;
  if (!hasTickets) options |= constants.SSL_OP_NO_TICKET;
  for (const protocol of ["TLSv1.1", "TLSv1.2", "TLSv1.3"] as const) {
    if (!protocols.includes(protocol)) options |= SWITCHES[protocol];
  }
  return options;
}

/**
 * OpenSSL holds one certificate of each kind of key, the last one it is given. Node.js gives it all certificates before
 * the first key, which then would not belong to the one that is left.
 */
function lastOfEachKind(pairs: readonly TlsKeyPair[]): readonly TlsKeyPair[] {
  return [...new Map(pairs.map((pair) => [createPrivateKey(pair.key).asymmetricKeyType, pair])).values()];
}
