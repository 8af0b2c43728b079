/** Between the parts of one step, where RFC 2253 has a plus alone; one in a value is escaped. */
const NODE_PLUS = " + ";

/** Characters that are written as the bytes they have in UTF-8, in hexadecimal. */
const BEYOND_ASCII = /[^\0-\x7f]/gu;

/**
 * A certificate's subject or issuer in one line, as nginx writes it. Node.js tells the steps from the root on, a line
 * each, with special characters escaped already; RFC 2253 has them the other way round. Source: RFC 2253 section 2,
 * OpenSSL's XN_FLAG_RFC2253.
 */
export function distinguishedName(lines: string): string {
  const steps = lines.split("\n").map((line) => line.split(NODE_PLUS).reverse().join("+"));
  return steps.reverse().join(",").replaceAll(BEYOND_ASCII, escapeBytes);
}

function escapeBytes(character: string): string {
  return [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).toUpperCase()}`).join("");
}
