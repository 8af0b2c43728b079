import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { connectionOf, describeConnection } from "./client-connection.ts";
import type { ClientHello } from "./client-hello.ts";
import { MAX_HELLO_BYTES, readTlsOpening } from "./client-hello.ts";
import { endWith } from "./end-with.ts";
import { isHttp2Preface, PREFACE_BYTES } from "./http2-preface.ts";
import { peek } from "./peek.ts";
import { MAX_PROXY_HEADER_BYTES, readProxyHeader } from "./proxy-protocol.ts";
import { renderRawError } from "./reply.ts";
import { type TlsFront, UNRECOGNIZED_NAME_ALERT } from "./tls-front.ts";

/** Who takes connections once it is known what they speak. */
export interface ConnectionServers {
  readonly http1: (socket: Socket) => void;
  /** Absent: HTTP/2 is not spoken. */
  readonly http2: ((socket: Socket) => void) | undefined;
}

export interface OpenerOptions {
  readonly servers: ConnectionServers;
  /** Every connection has to begin with a PROXY protocol header. */
  readonly isProxied: boolean;
  /** Absent: cleartext. */
  readonly tls: TlsFront | undefined;
  /** How long a connection may take until it is known what it speaks, milliseconds. */
  readonly timeoutMs: number;
  readonly serverHeader: string;
}

/** Finds out what a new connection speaks: a PROXY protocol header, TLS, HTTP/1 or HTTP/2, and hands it on. */
export class ConnectionOpener {
  readonly #options: OpenerOptions;
  readonly #opening = new Map<Socket, NodeJS.Timeout>();

  constructor(options: OpenerOptions) {
    this.#options = options;
  }

  open(socket: Socket): void {
    const timer = setTimeout(() => this.#onTimeout(socket), this.#options.timeoutMs);
    timer.unref();
    this.#opening.set(socket, timer);
    // Whatever breaks here ends with `close`.
    socket.on("error", () => {});
    socket.once("close", () => this.#settle(socket));
    if (this.#options.isProxied) this.#readProxyHeader(socket);
    else this.#readProtocol(socket);
  }

  /** Cuts connections that have asked nothing yet. */
  destroyOpening(): void {
    for (const socket of this.#opening.keys()) socket.destroy();
  }

  #settle(socket: Socket): void {
    clearTimeout(this.#opening.get(socket));
    this.#opening.delete(socket);
  }

  #onTimeout(socket: Socket): void {
    if (this.#options.tls !== undefined || this.#options.isProxied) socket.destroy();
    else endWith(socket, renderRawError(408, this.#options.serverHeader));
  }

  #readProxyHeader(socket: Socket): void {
    peek(socket, {
      read: readProxyHeader,
      limitBytes: MAX_PROXY_HEADER_BYTES,
      onNothing: () => socket.destroy(),
      onFound: (header) => {
        if (header === "invalid") {
          socket.destroy();
          return;
        }
        socket.read(header.lengthBytes);
        describeConnection(socket, { ...connectionOf(socket), proxied: header.addresses });
        this.#readProtocol(socket);
      },
    });
  }

  #readProtocol(socket: Socket): void {
    const { servers, tls } = this.#options;
    if (tls !== undefined) this.#readHello(socket, tls);
    else if (servers.http2 === undefined) this.#serveHttp1(socket);
    else this.#readPreface(socket);
  }

  #readPreface(socket: Socket): void {
    const { http2 } = this.#options.servers;
    peek(socket, {
      read: isHttp2Preface,
      limitBytes: PREFACE_BYTES,
      onNothing: () => socket.destroy(),
      onFound: (isHttp2) => {
        if (!isHttp2) this.#serveHttp1(socket);
        else {
          this.#settle(socket);
          http2?.(socket);
        }
      },
    });
  }

  #serveHttp1(socket: Socket): void {
    this.#settle(socket);
    this.#options.servers.http1(socket);
    // Node's HTTP/1 listens for data, which does not wake a connection that was paused.
    socket.resume();
  }

  #readHello(socket: Socket, tls: TlsFront): void {
    peek<ClientHello | "http" | "unknown">(socket, {
      read: readTlsOpening,
      limitBytes: MAX_HELLO_BYTES,
      onNothing: () => socket.destroy(),
      onFound: (opening) => {
        if (opening === "http") this.#refusePlain(socket);
        else if (opening === "unknown") socket.destroy();
        else if (!tls.accept(socket, opening, (secure) => this.#onSecure(socket, secure))) {
          endWith(socket, UNRECOGNIZED_NAME_ALERT);
        }
      },
    });
  }

  #refusePlain(socket: Socket): void {
    const message = "The plain HTTP request was sent to HTTPS port";
    endWith(socket, renderRawError(400, this.#options.serverHeader, message));
  }

  #onSecure(socket: Socket, secure: TLSSocket): void {
    const { http1, http2 } = this.#options.servers;
    this.#settle(socket);
    if (secure.alpnProtocol === "h2" && http2 !== undefined) http2(secure);
    else http1(secure);
  }
}
