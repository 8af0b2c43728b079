import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import { type Target, timerDelay } from "@fngate/kernel";
import type { AttemptFailure } from "../exchange.ts";

/** TCP keep-alive probes start after this silence; nothing else notices a peer that vanished without a packet. */
const TCP_KEEPALIVE_DELAY_MS = 60_000;

/** No connection came about; `reason` says at which step, `cause` is what the socket reported. */
export class ConnectFailure extends Error {
  readonly reason: AttemptFailure["reason"];

  constructor(reason: AttemptFailure["reason"], message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

/** What one connection needs; `session` is a TLS session to resume. */
export interface ConnectOptions {
  readonly target: Target;
  readonly timeoutMs: number;
  readonly secureContext: SecureContext | undefined;
  readonly session: Buffer | undefined;
  /** Receives what the upstream sends, valid during the call only; absent: the socket is read as a stream. */
  readonly onBytes?: (bytes: Buffer) => void;
}

/** Called once, with the open socket or with the failure. */
export type ConnectCallback = (error: ConnectFailure | null, socket: Socket | null) => void;

/**
 * Opens the TCP connection and, for `https`, finishes the TLS handshake within one deadline.
 *
 * The socket comes back before the connection stands, so that the caller can destroy it.
 */
export function connectSocket(options: ConnectOptions, callback: ConnectCallback): Socket {
  const { target, timeoutMs } = options;
  const isTls = target.scheme === "https";
  const socket = isTls ? openTls(options) : openTcp(options);
  let isTcpOpen = false;
  let isSettled = false;

  const settle = (error: ConnectFailure | null): void => {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(timer);
    callback(error, error === null ? socket : null);
  };
  const giveUp = (): void => {
    settle(new ConnectFailure("connect-timeout", `no connection to ${nameOf(target)} within ${timeoutMs} ms`));
    socket.destroy();
  };
  // Timers may run early by the age of the event loop's own clock, hence the millisecond on top; and they run before
  // the sockets are looked at: after a busy moment of this process the connection may stand already.
  const timer = setTimeout(() => setImmediate(() => isSettled || giveUp()), timerDelay(timeoutMs + 1));

  if (isTls) {
    socket.once("connect", () => {
      isTcpOpen = true;
    });
  }
  socket.once(isTls ? "secureConnect" : "connect", () => settle(null));
  // Stays for the life of the socket: no error of it may end the process.
  socket.on("error", (error) => settle(classify(error, isTcpOpen, target)));
  socket.once("close", () => settle(new ConnectFailure("refused", `connection to ${nameOf(target)} closed`)));
  return socket;
}

/**
 * All plain connections read into the same memory: what arrives is looked at, and copied where it is kept, before the
 * next read. A buffer of its own for every read costs more than all the parsing.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

function openTcp({ target, onBytes }: ConnectOptions): Socket {
  return connectTcp({
    host: target.host,
    port: target.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEPALIVE_DELAY_MS,
    ...(onBytes === undefined ? {} : { onread: readInto(onBytes) }),
  });
}

function readInto(onBytes: (bytes: Buffer) => void): OnReadOpts {
  return {
    buffer: READ_BUFFER,
    callback: (sizeBytes) => {
      onBytes(READ_BUFFER.subarray(0, sizeBytes));
      return true;
    },
  };
}

function openTls(options: ConnectOptions): TLSSocket {
  const { target, secureContext, session } = options;
  const name = target.tls?.serverName ?? target.host;
  const socket = connectTls({
    host: target.host,
    port: target.port,
    // An address is no SNI name (RFC 6066 section 3); the certificate is then checked against the host.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(secureContext === undefined ? {} : { secureContext }),
    ...(session === undefined ? {} : { session }),
    rejectUnauthorized: target.tls?.verify ?? true,
    ALPNProtocols: [target.version === "2" ? "h2" : "http/1.1"],
  });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, TCP_KEEPALIVE_DELAY_MS);
  if (options.onBytes !== undefined) socket.on("data", options.onBytes);
  return socket;
}

function classify(error: Error & { syscall?: string; code?: string }, isTcpOpen: boolean, target: Target) {
  const reason = isTcpOpen ? "tls" : reasonOf(error);
  return new ConnectFailure(reason, `cannot connect to ${nameOf(target)}: ${error.message || error.code}`, error);
}

function reasonOf(error: Error & { syscall?: string; code?: string }): AttemptFailure["reason"] {
  if (error.syscall === "getaddrinfo") return "unresolved";
  if (error.code === "ETIMEDOUT") return "connect-timeout";
  return "refused";
}

/** `scheme://host:port`, an IPv6 address in brackets. */
export function nameOf(target: Target): string {
  return `${target.scheme}://${target.host.includes(":") ? `[${target.host}]` : target.host}:${target.port}`;
}
