import { percentEncode } from "./percent-encoding.ts";

/** What a path may carry unescaped beside letters and digits: `/`, `:`, `@`, unreserved and sub-delims (RFC 3986 3.3). */
const REMAINDER_KEPT = "/:@-._~!$&'()*+,;=";

const NEEDS_ENCODING = /[^A-Za-z0-9/:@\-._~!$&'()*+,;=]/;

/**
 * The path a function is called with: the base path of its address, and behind it what the route's `*` covered.
 *
 * `remainder` is decoded (a byte string) and encoded here, so that a blank or a `%` in it arrives as what it is; APISIX
 * answers some of these 503 and garbles others. An empty remainder adds a slash. The path is never empty.
 */
export function joinFunctionPath(basePath: string, remainder: string | undefined): string {
  if (remainder === undefined) return basePath === "" ? "/" : basePath;
  const encoded = NEEDS_ENCODING.test(remainder) ? percentEncode(remainder, REMAINDER_KEPT) : remainder;
  return basePath.endsWith("/") || encoded.startsWith("/") ? basePath + encoded : `${basePath}/${encoded}`;
}
