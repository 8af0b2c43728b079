import type { OutgoingRequest } from "../exchange.ts";
import { InvalidRequestError } from "./failure.ts";
import { isFieldValue, isOriginTarget, isToken } from "./wire-text.ts";

/** Fields that the transport writes itself, or cannot honour. */
const RESERVED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

/** Methods whose requests usually have a body: without one they say so (RFC 9110 section 8.6). */
const METHODS_WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "QUERY", "PROPFIND", "PROPPATCH"]);

/** Tells whether requests of a method usually have a body. */
export function usuallyHasBody(method: string): boolean {
  return METHODS_WITH_BODY.has(method);
}

/**
 * Renders request line and fields, without framing and the blank line behind it. No character that the caller let
 * through can end a line here (RFC 9112 section 11.1). Raises `InvalidRequestError`.
 *
 * @param defaultHost sent when the fields have no `Host`
 */
export function renderRequestHead(request: OutgoingRequest, defaultHost: string): string {
  const { method, target, headers } = request;
  if (!isToken(method) || method === "CONNECT") throw new InvalidRequestError("the method cannot be sent");
  if (!isOriginTarget(target)) throw new InvalidRequestError("the target cannot be sent");
  let text = "";
  let hasHost = false;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1] as string;
    if (!isToken(name) || !isFieldValue(value)) throw new InvalidRequestError("a field cannot be sent");
    if (name.length === 4 && name.toLowerCase() === "host") {
      if (hasHost) throw new InvalidRequestError("there are two Host fields");
      hasHost = true;
    } else refuseReserved(name);
    text += `${name}: ${value}\r\n`;
  }
  const host = hasHost ? "" : `Host: ${defaultHost}\r\n`;
  return `${method} ${target} HTTP/1.1\r\n${host}${text}`;
}

function refuseReserved(name: string): void {
  // The names above begin with one of these five letters.
  switch (name.charCodeAt(0) | 0x20) {
    case 0x63: // c
    case 0x65: // e
    case 0x6b: // k
    case 0x74: // t
    case 0x75: // u
      if (RESERVED.has(name.toLowerCase())) throw new InvalidRequestError(`the field ${name} is the transport's own`);
      break;
    default:
  }
}
