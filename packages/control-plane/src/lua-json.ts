/**
 * The JSON dialect of APISIX's decoder (lua-cjson 2.1), with its error texts and 1-based byte offsets.
 *
 * Well-formed JSON goes through `JSON.parse`. Only what that refuses meets the parser of `lua-json-parser.ts`, which accepts the
 * decoder's liberties (raw control characters in strings, leading zeros, a leading `+`) and words its refusals.
 * `NaN`, `Infinity` and hexadecimal numbers are refused: the decoder takes them, but nothing can store them.
 */

import { type LuaJsonResult, MAX_DEPTH, parseLeniently } from "./lua-json-parser.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes a request body as APISIX does; never throws. Source: lua-cjson's tokenizer, as seen through the APISIX Admin API. */
export function decodeLuaJson(body: Uint8Array): LuaJsonResult {
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    return { ok: false, message: "body is not valid UTF-8" };
  }
  if (!needsOwnParser(text)) {
    try {
      return { ok: true, value: JSON.parse(text) };
    } catch {
      // The parser words the reason, or accepts what only JSON.parse refuses.
    }
  }
  return parseLeniently(Buffer.from(text, "utf8").toString("latin1"));
}

/** JSON.parse is laxer than lua-cjson in two points: depth, and surrogates that do not pair up. */
function needsOwnParser(text: string): boolean {
  return /\\u[dD][89a-fA-F]/.test(text) || opensMoreThan(text, MAX_DEPTH);
}

function opensMoreThan(text: string, limit: number): boolean {
  let opened = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x5b || code === 0x7b) opened += 1;
    if (opened > limit) return true;
  }
  return false;
}
