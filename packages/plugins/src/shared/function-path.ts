import { percentEncode } from "./percent-encoding.ts";

/** What a path may carry unescaped beside letters and digits: `/`, `:`, `@`, unreserved and sub-delims (RFC 3986 3.3). */
const REMAINDER_KEPT = "/:@-._~!$&'()*+,;=";

const NEEDS_ENCODING = /[^A-Za-z0-9/:@\-._~!$&'()*+,;=]/;

/** How a slash that the client encoded stands in a remainder under APISIX's `match_uri_encoded_slash`. */
const ENCODED_SLASH = "%2F";

/** What a route's `*` covered, and the decoded path it is the end of; byte strings. */
export interface Covered {
  readonly remainder: string | undefined;
  readonly path: string;
}

/**
 * The path a function is called with: the base path of its address, and behind it what the route's `*` covered.
 *
 * The remainder is decoded and encoded here, so that a blank or a `%` in it arrives as what it is; APISIX answers
 * some of these 503 and garbles others. An empty remainder adds a slash. The path is never empty.
 */
export function joinFunctionPath(basePath: string, { remainder, path }: Covered): string {
  if (remainder === undefined) return basePath === "" ? "/" : basePath;
  const encoded = NEEDS_ENCODING.test(remainder) ? encodeRemainder(remainder, path) : remainder;
  return basePath.endsWith("/") || encoded.startsWith("/") ? basePath + encoded : `${basePath}/${encoded}`;
}

function encodeRemainder(remainder: string, path: string): string {
  const parts = remainder.includes(ENCODED_SLASH) ? splitAtEncodedSlashes(remainder, path) : [remainder];
  return parts.map((part) => percentEncode(part, REMAINDER_KEPT)).join(ENCODED_SLASH);
}

/**
 * Splits where `%2F` stands for a slash of the path, walking both from the end: elsewhere the three characters are
 * text that the client had encoded itself.
 */
function splitAtEncodedSlashes(remainder: string, path: string): readonly string[] {
  const parts: string[] = [];
  let end = remainder.length;
  let at = path.length - 1;
  if (path.endsWith("/") && !remainder.endsWith("/") && !remainder.endsWith(ENCODED_SLASH)) at -= 1;
  for (let index = end - 1; index >= 0; index -= 1) {
    if (path[at] === "/" && remainder[index] !== "/" && remainder.endsWith(ENCODED_SLASH, index + 1)) {
      parts.unshift(remainder.slice(index + 1, end));
      index -= ENCODED_SLASH.length - 1;
      end = index;
    }
    at -= 1;
  }
  return [remainder.slice(0, end), ...parts];
}

/** The path a function is called with when a plugin rewrote the client's: that path, encoded already, behind the base. */
export function joinRewrittenPath(basePath: string, rewritten: string): string {
  return basePath.endsWith("/") ? basePath + rewritten.slice(1) : basePath + rewritten;
}
