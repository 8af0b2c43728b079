import { errors } from "undici";
import type { AttemptFailure } from "../exchange.ts";
import { ConnectFailure } from "./connect-socket.ts";

/** Error codes of undici and Node that do not mean "the connection broke". */
const REASON_BY_CODE: Readonly<Record<string, AttemptFailure["reason"]>> = {
  UND_ERR_INVALID_ARG: "invalid-request",
  UND_ERR_NOT_SUPPORTED: "invalid-request",
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: "request-body",
  UND_ERR_HEADERS_OVERFLOW: "bad-response",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "bad-response",
  EPROTO: "tls",
};

/** undici reports these two answers as socket errors that differ in text only. */
const BAD_RESPONSE_MESSAGES: ReadonlySet<string> = new Set(["bad response", "bad upgrade"]);

/** The reason of an error undici reported for a request. */
export function reasonOf(error: Error): AttemptFailure["reason"] {
  if (error instanceof ConnectFailure) return error.reason;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const known = REASON_BY_CODE[code];
  if (known !== undefined) return known;
  if (code.startsWith("HPE_") || error instanceof errors.HTTPParserError || error instanceof BadResponseError)
    return "bad-response";
  if (code.startsWith("ERR_SSL_")) return "tls";
  return BAD_RESPONSE_MESSAGES.has(error.message) ? "bad-response" : "reset";
}

/** The upstream stayed silent, or took no data, longer than the target's inactivity limit. */
export class InactivityError extends Error {}

/** The answer does not follow HTTP/1.1 in a way the parser lets pass. */
export class BadResponseError extends Error {}
