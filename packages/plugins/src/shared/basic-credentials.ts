/** What a caller claims to be. */
export interface NameAndPassword {
  readonly username: string;
  readonly password: string;
}

/** Scheme and base64 text; padding may be left out, as APISIX takes it. */
const FORM = /^basic\s+([a-z0-9+/]+={0,2})\s*$/i;

/**
 * Reads the value of an `Authorization` field (RFC 7617, section 2). Nothing when it is malformed or the password is
 * empty.
 */
export function parseCredentials(value: string): NameAndPassword | undefined {
  const encoded = FORM.exec(value)?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon < 0 || colon === decoded.length - 1) return undefined;
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
