import { isUtf8 } from "node:buffer";

// biome-ignore lint/suspicious/noControlCharactersInRegex: bytes of a text that is none in ASCII
const BYTES = /^[\x00-\xff]*[\x80-\xff][\x00-\xff]*$/;

/** What came over the wire, one character per byte, as the text that its bytes are in UTF-8; other texts as they are. */
export function readableText(text: string): string {
  if (!BYTES.test(text)) return text;
  const bytes = Buffer.from(text, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : text;
}
