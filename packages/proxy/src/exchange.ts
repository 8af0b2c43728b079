import type { Readable } from "node:stream";
import type { Endpoint } from "@fngate/kernel";

/** A request ready to be sent: hop-by-hop fields gone, `host` set, framing left to the transport. */
export interface OutgoingRequest {
  readonly method: string;
  /** Path and query in origin form. */
  readonly target: string;
  /** Flat `[name, value, …]`, without `Content-Length` and `Transfer-Encoding`. */
  readonly headers: readonly string[];
  readonly body: OutgoingBody;
  /** Told what the attempt does on its connection; absent: nobody measures it. */
  readonly trace?: AttemptTrace;
}

/** Measures one attempt. */
export interface AttemptTrace {
  /** There is a connection to send on, a new one or a kept one. */
  onConnected(): void;
  /** Bytes of head and body, before encryption; of HTTP/2 those of names, values and bodies. */
  onSent(bytes: number): void;
  onReceived(bytes: number): void;
}

/** `lengthBytes` absent: the length is unknown and the body goes out chunked. */
export type OutgoingBody =
  | { readonly kind: "none" }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "stream"; readonly stream: Readable; readonly lengthBytes: number | undefined };

/** Receives one answer. The forwarder calls `head` once, then `write` per chunk, then `end`; on failure after `head` only `fail`. */
export interface ResponseSink {
  /** `headers` is flat, hop-by-hop fields already removed. `reason` may be empty. */
  head(status: number, reason: string, headers: readonly string[]): void;
  /** @returns false when the receiver is slower; the forwarder then stops reading until `onDrain`'s callback runs. */
  write(chunk: Uint8Array): boolean;
  onDrain(resume: () => void): void;
  /** Flat fields that follow the body, before `end`; gRPC answers have such. */
  trailers?(fields: readonly string[]): void;
  end(): void;
}

/** How one attempt ended; one table turns it into status, retry decision and health report. */
export type AttemptOutcome =
  /** The whole answer was handed to the sink. */
  | { readonly kind: "responded"; readonly status: number }
  | { readonly kind: "failed"; readonly failure: AttemptFailure }
  /** The answer broke off after its head; the client's connection has to be cut. */
  | { readonly kind: "truncated"; readonly failure: AttemptFailure; readonly status: number }
  /** {@link Exchange.cancel} was called before the end. */
  | { readonly kind: "cancelled" };

/** Why no (complete) answer came. */
export interface AttemptFailure {
  readonly reason:
    | "refused"
    | "unresolved"
    | "connect-timeout"
    | "tls"
    | "reset"
    | "timeout"
    | "bad-response"
    | "request-body"
    /** The request cannot be put on the wire: a control character in a field, a method that is no token. */
    | "invalid-request";
  /** True when nothing of the request was sent, so even a POST may be tried again. */
  readonly isUnsent: boolean;
  /** For logs; never sent to a client. */
  readonly cause: Error;
}

/** A running attempt. */
export interface Exchange {
  /** Never rejects. */
  readonly outcome: Promise<AttemptOutcome>;
  /** Aborts it: the connection is destroyed unless the answer was already complete. */
  cancel(): void;
}

/** Carries one request to one endpoint and its answer to the sink; no retries, no header policy. */
export interface Forwarder {
  forward(endpoint: Endpoint, request: OutgoingRequest, sink: ResponseSink): Exchange;
}
