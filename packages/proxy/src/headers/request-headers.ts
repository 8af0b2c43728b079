import { isPlainOption, lengthsOf, withoutNamed } from "./response-headers.ts";

/**
 * Fields of a request that are not forwarded: those of one connection (RFC 9110 section 7.6.1), those the
 * transport writes itself, and `Host`, which the caller sets. `Trailer` and `Proxy-Authorization` pass, as in APISIX.
 */
const DROPPED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

const DROPPED_LENGTHS = lengthsOf(DROPPED);

/**
 * The fields of a client's request that go to an upstream, as a new flat array, in one pass.
 *
 * Run it before a plugin adds fields: what `Connection` names is dropped too, and must not reach what the gateway adds.
 *
 * @param rawHeaders flat `[name, value, …]` as in `IncomingMessage.rawHeaders`
 */
export function prepareHeaders(rawHeaders: readonly string[]): string[] {
  const headers: string[] = [];
  let named: string | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    const value = rawHeaders[index + 1] ?? "";
    if (DROPPED_LENGTHS[name.length] !== true) {
      headers.push(name, value);
      continue;
    }
    const lower = name.toLowerCase();
    if (!DROPPED.has(lower)) headers.push(name, value);
    else if (lower === "connection" && !isPlainOption(value)) named = named === undefined ? value : `${named},${value}`;
  }
  return named === undefined ? headers : withoutNamed(headers, named);
}
