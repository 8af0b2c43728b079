/** A configured text as the bytes it is sent as: UTF-8, one character per byte, like everything that came over the wire. */
export function toByteString(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get into a head
const UNSENDABLE = /[\x00-\x08\x0a-\x1f\x7f]/g;

/** A field value that cannot end its line: a decoded path, say, may hold line breaks. Controls are percent-encoded. */
export function safeFieldValue(value: string): string {
  return value.replace(
    UNSENDABLE,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** A field name that can be sent (RFC 9110, 5.6.2). */
export const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Fields that say how a message is framed: they follow the body, whatever a configuration says. */
const FRAMING: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Tells whether a configuration may set or remove a field. */
export function isOwnField(name: string): boolean {
  return FIELD_NAME.test(name) && !FRAMING.has(name.toLowerCase());
}
