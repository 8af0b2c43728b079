/**
 * The characters of HTTP/1.1 (RFC 9110 section 5.6.2, RFC 9112), as tables over latin-1: a look-up per character costs
 * less than a regular expression, and these run over every byte of every head.
 */

/** `tchar`: what methods and field names consist of. */
export const IS_TOKEN = tableOf(/^[!#$%&'*+.^_`|~0-9A-Za-z-]$/);

/** What may stand in a field value, a reason phrase or a chunk extension: no control but the tab, no DEL. */
export const IS_TEXT = tableOf(/^[\t\x20-\x7e\x80-\xff]$/);

/** What may stand in a request target: no blank, no control. */
const IS_TARGET = tableOf(/^[\x21-\xff]$/);

/** Tells whether a text is a method or field name. */
export function isToken(text: string): boolean {
  return text !== "" && consistsOf(text, IS_TOKEN);
}

/** Tells whether a text can go out as a field value. */
export function isFieldValue(text: string): boolean {
  return consistsOf(text, IS_TEXT);
}

/** Tells whether a text can go out as path and query. */
export function isOriginTarget(text: string): boolean {
  return text.charCodeAt(0) === 0x2f && consistsOf(text, IS_TARGET);
}

/** Characters above latin-1 lie outside the table. */
function consistsOf(text: string, table: Uint8Array): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (table[text.charCodeAt(index)] !== 1) return false;
  }
  return true;
}

function tableOf(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (pattern.test(String.fromCharCode(code)) ? 1 : 0));
}
