/** `%XX` of every byte, upper case. */
const ESCAPES: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
);

/** Decodes each `%XX` of a byte string (one character per byte) once; other `%` stay as they are. */
export function percentDecode(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** Encodes each byte of a byte string that is neither a letter, a digit nor listed in `kept`. */
export function percentEncode(text: string, kept: string): string {
  let encoded = "";
  for (const character of text) {
    encoded += isAlphanumeric(character) || kept.includes(character) ? character : escapeByte(character.charCodeAt(0));
  }
  return encoded;
}

/** `%XX` of a byte. */
export function escapeByte(byte: number): string {
  return ESCAPES[byte & 0xff] as string;
}

function isAlphanumeric(character: string): boolean {
  return /^[A-Za-z0-9]$/.test(character);
}
