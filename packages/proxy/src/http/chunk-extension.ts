import { IS_TEXT, IS_TOKEN } from "./wire-text.ts";

/** Where in the extensions of a chunk the reader stands; it begins behind a semicolon. */
export const EXTENSION_START = 0;
const NAME = 1;
const VALUE_START = 2;
const VALUE = 3;
const QUOTED = 4;
const ESCAPE = 5;
const QUOTED_END = 6;
/** The carriage return that ends them was read. */
export const EXTENSION_END = 7;
/** What was read is no extension. */
export const EXTENSION_BROKEN = 8;

const CR = 0x0d;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Reads one byte of `;name`, `;name=value` and `;name="value"` (RFC 9112 section 7.1.1). Blanks between them are
 * refused, as are line breaks in quotes: readers have differed about both.
 */
export function nextInExtension(state: number, code: number): number {
  switch (state) {
    case EXTENSION_START:
      return IS_TOKEN[code] === 1 ? NAME : EXTENSION_BROKEN;
    case NAME:
      return code === EQUALS ? VALUE_START : tokenOrEnd(NAME, code);
    case VALUE_START:
      if (code === QUOTE) return QUOTED;
      return IS_TOKEN[code] === 1 ? VALUE : EXTENSION_BROKEN;
    case VALUE:
      return tokenOrEnd(VALUE, code);
    case QUOTED:
      if (code === QUOTE) return QUOTED_END;
      return code === BACKSLASH ? ESCAPE : textOrBroken(code);
    case ESCAPE:
      return textOrBroken(code);
    default:
      return afterValue(code);
  }
}

function tokenOrEnd(state: number, code: number): number {
  return IS_TOKEN[code] === 1 ? state : afterValue(code);
}

function afterValue(code: number): number {
  if (code === SEMICOLON) return EXTENSION_START;
  return code === CR ? EXTENSION_END : EXTENSION_BROKEN;
}

function textOrBroken(code: number): number {
  return IS_TEXT[code] === 1 ? QUOTED : EXTENSION_BROKEN;
}
