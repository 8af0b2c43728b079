import type { IncomingMessage } from "node:http";
import type { Duplex, Readable } from "node:stream";
import type { RequestTraffic } from "@fngate/plugin-kit";
import type { ClientConnection } from "./client-connection.ts";

/** One request of a client and the answer to it, whatever HTTP version carries them. */
export interface ClientExchange {
  /** Upper case. */
  readonly method: string;
  /** As on the request line. */
  readonly target: string;
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string;
  readonly scheme: "http" | "https";
  /** Flat `[name, value, …]` as received. */
  readonly rawHeaders: readonly string[];
  /** Address of the TCP peer. */
  readonly peerAddress: string;
  readonly localPort: number;
  /** What is known of the connection; absent for requests that come from within. */
  readonly connection?: ClientConnection;
  /** It came before the answer to the request before it on its connection. */
  readonly isPipelined?: boolean;
  readonly hasBody: boolean;
  /** `Content-Length` in bytes, absent when the length is unknown. */
  readonly declaredBytes: number | undefined;
  /** Present when the client asks for another protocol and the route may grant it. */
  readonly upgrade: UpgradeHandover | undefined;
  /** False once the client is gone. */
  readonly isOpen: boolean;
  /** How many sub-requests deep it is; absent: it came from a client. */
  readonly depth?: number;
  /** Status that the connection ended with when that was no answer to the request as a whole. */
  readonly endStatus: number | undefined;
  /** What went over the connection for it; asked for once, when the exchange is over. */
  takeTraffic(): RequestTraffic;
  /** The body; asking for it sends `100 Continue` to a client that waits for that. */
  openBody(): Readable;
  /** Sends the head; `headers` is flat. `reason` may be empty. Throws when a field cannot be sent. */
  writeHead(status: number, reason: string, headers: readonly string[]): void;
  /** @returns false when the client is slower; wait for {@link ClientExchange.onDrain}. */
  write(chunk: Uint8Array | string): boolean;
  /** Runs `resume` once, when there is room again. */
  onDrain(resume: () => void): void;
  /** Sets flat fields to be sent after the body, before {@link ClientExchange.end}; left out where there is no place. */
  trailers?(fields: readonly string[]): void;
  end(chunk?: Uint8Array | string): void;
  /** Breaks the connection (HTTP/2: the stream), so that the client sees an incomplete answer. */
  cut(): void;
  /** Runs `listener` once, when the answer was handed over whole or the client left before. */
  onClose(listener: (isComplete: boolean) => void): void;
}

/** A connection that can be taken over by a tunnel. */
export interface UpgradeHandover {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent after its request. */
  readonly head: Buffer;
  /** From here on the tunnel answers, and {@link UpgradeHandover.finish} ends the exchange. */
  detach(): void;
  finish(isComplete: boolean): void;
}
