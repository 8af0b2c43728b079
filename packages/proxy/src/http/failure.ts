import type { AttemptFailure } from "../exchange.ts";
import { ConnectFailure } from "./connect-socket.ts";

/** The reason behind an error of an exchange; anything unknown means that the connection broke. */
export function reasonOf(error: Error): AttemptFailure["reason"] {
  if (error instanceof ExchangeError || error instanceof ConnectFailure) return error.reason;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  // Node's own parser reads the answers to upgrades.
  if (code.startsWith("HPE_")) return "bad-response";
  return code === "EPROTO" || code.startsWith("ERR_SSL_") ? "tls" : "reset";
}

/** A failure that knows its reason. */
export abstract class ExchangeError extends Error {
  abstract readonly reason: AttemptFailure["reason"];
}

/** The upstream stayed silent, or took no data, longer than the target's inactivity limit. */
export class InactivityError extends ExchangeError {
  readonly reason = "timeout";
}

/** The answer does not follow HTTP/1.1 in a way the parser lets pass. */
export class BadResponseError extends ExchangeError {
  readonly reason = "bad-response";
}

/** The request cannot be put on the wire. */
export class InvalidRequestError extends ExchangeError {
  readonly reason = "invalid-request";
}

/** The client's body broke off, or is not as long as was declared. */
export class RequestBodyError extends ExchangeError {
  readonly reason = "request-body";
}
