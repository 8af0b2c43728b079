/** Fields of a form by name; a field that comes several times has a list. */
export type BodyFields = Readonly<Record<string, unknown>>;

/**
 * Reads `application/x-www-form-urlencoded`. A field without `=` is true (APISIX variables: post arguments). The
 * result has no prototype: names are the client's.
 */
export function parseFormFields(text: string): BodyFields {
  const fields: Record<string, unknown> = Object.create(null);
  for (const part of text.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = decodeField(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? true : decodeField(part.slice(equals + 1));
    const known = fields[name];
    if (known === undefined) fields[name] = value;
    else if (Array.isArray(known)) known.push(value);
    else fields[name] = [known, value];
  }
  return fields;
}

/**
 * Reads `multipart/form-data`: the text of every named part, files included; of parts with one name the last one
 * counts (APISIX variables: post arguments). Nothing when the type names no boundary.
 */
export function parseMultipartFields(bytes: Uint8Array, contentType: string): BodyFields | undefined {
  const found = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const boundary = found?.[1] ?? found?.[2];
  if (boundary === undefined) return undefined;
  const fields: Record<string, unknown> = Object.create(null);
  const text = `\r\n${asBytes(bytes).toString("latin1")}`;
  for (const part of text.split(`\r\n--${boundary}`).slice(1)) {
    // The last delimiter has two more dashes; behind it nothing counts.
    if (part.startsWith("--")) break;
    const headEnd = part.indexOf("\r\n\r\n");
    const name = headEnd < 0 ? undefined : partName(part.slice(0, headEnd));
    if (name !== undefined) fields[decodeBytes(name)] = decodeBytes(part.slice(headEnd + 4));
  }
  return fields;
}

/** Bytes as UTF-8 text; what is no UTF-8 becomes replacement characters. */
export function decodeText(bytes: Uint8Array): string {
  return asBytes(bytes).toString("utf8");
}

function partName(head: string): string | undefined {
  const disposition = /^content-disposition:[^\r\n]*?;\s*name=(?:"([^"]*)"|([^;\s]+))/im.exec(head);
  return disposition?.[1] ?? disposition?.[2];
}

function decodeField(text: string): string {
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  // Through bytes and not decodeURIComponent, which throws at what is no UTF-8.
  const bytes = Buffer.from(spaced, "utf8").toString("latin1");
  return decodeBytes(
    bytes.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  );
}

function decodeBytes(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}

function asBytes(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
