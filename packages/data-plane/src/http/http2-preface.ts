const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Length of what an HTTP/2 client sends first. */
export const PREFACE_BYTES = PREFACE.length;

/**
 * Tells HTTP/2 by prior knowledge from HTTP/1 on one port; nothing while the bytes could be the beginning of either.
 * No request line of HTTP/1 begins like the preface (RFC 9113 section 3.4).
 */
export function isHttp2Preface(bytes: Buffer): boolean | undefined {
  const length = Math.min(bytes.length, PREFACE_BYTES);
  if (bytes.compare(PREFACE, 0, length, 0, length) !== 0) return false;
  return length === PREFACE_BYTES ? true : undefined;
}
