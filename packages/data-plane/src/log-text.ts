/**
 * A client's text, harmless inside a line: quotes, backslashes, control characters and everything beyond ASCII as
 * `\xHH`, as nginx writes them, so that nobody writes log lines by sending requests.
 */
export function escapeText(text: string): string {
  return NEEDS_ESCAPE.test(text) ? [...bytesOf(text)].map(escapeByte).join("") : text;
}

/** A text as the inside of a JSON string (nginx: `escape=json`). */
export function escapeJson(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(bytesOf(text).toString()).slice(1, -1) : text;
}

/** A text as its bytes say; those that are none of UTF-8 are replaced. */
export function plainText(text: string): string {
  return NEEDS_ESCAPE.test(text) ? bytesOf(text).toString() : text;
}

const NEEDS_ESCAPE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;

const BEYOND_BYTES = /[^\0-\xff]/;

/** What clients send has one character for each byte; what comes from the configuration is text. */
function bytesOf(text: string): Buffer {
  return Buffer.from(text, BEYOND_BYTES.test(text) ? "utf8" : "latin1");
}

function escapeByte(byte: number): string {
  const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
  return isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
