import type { Socket } from "node:net";
import { plainAddress } from "./address-list.ts";
import type { ClientTls } from "./client-tls.ts";

/** What a PROXY protocol header says about the client that is behind the peer. */
export interface ProxiedAddresses {
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
}

/** A client's connection, as far as requests on it care. */
export interface ClientConnection {
  /** Counts the connections of the process. */
  readonly id: number;
  /** When it was accepted, by the process's own clock in milliseconds. */
  readonly openedMs: number;
  /** Requests that began on it. */
  requests: number;
  /** Bytes either way that requests which are over have been counted with. */
  countedReceivedBytes: number;
  countedSentBytes: number;
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Absent: cleartext. */
  readonly tls: ClientTls | undefined;
  /** Absent: no PROXY protocol, or a header that names nobody. */
  readonly proxied: ProxiedAddresses | undefined;
}

// Reading a socket's addresses is a call into the system; a connection keeps those it has.
const connections = new WeakMap<Socket, ClientConnection>();

let lastId = 0;

/** The connection behind a socket; cleartext unless it was told otherwise. */
export function connectionOf(socket: Socket): ClientConnection {
  const known = connections.get(socket);
  if (known !== undefined) return known;
  lastId += 1;
  const connection = {
    id: lastId,
    openedMs: performance.now(),
    requests: 0,
    countedReceivedBytes: 0,
    countedSentBytes: 0,
    peerAddress: plainAddress(socket.remoteAddress),
    peerPort: socket.remotePort ?? 0,
    localAddress: plainAddress(socket.localAddress),
    localPort: socket.localPort ?? 0,
    tls: undefined,
    proxied: undefined,
  };
  connections.set(socket, connection);
  return connection;
}

/** Tells what is known about a socket's connection beside its addresses. */
export function describeConnection(socket: Socket, connection: ClientConnection): void {
  connections.set(socket, connection);
}
