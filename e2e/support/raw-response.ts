/** An answer as it came over the wire. */
export interface RawResponse {
  readonly status: number;
  /** The whole status line. */
  readonly statusLine: string;
  /** Field names in lower case, in wire order. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Body without its framing, one character per byte. */
  readonly body: string;
}

/** Reads one answer out of everything a connection carried; interim answers are passed over. */
export function parseResponse(text: string, method: string): RawResponse {
  const split = text.indexOf("\r\n\r\n");
  if (split === -1) throw new Error(`no complete head in ${JSON.stringify(text)}`);
  const [statusLine = "", ...lines] = text.slice(0, split).split("\r\n");
  const status = Number(statusLine.split(" ")[1]);
  const rest = text.slice(split + 4);
  if (status >= 100 && status < 200) return parseResponse(rest, method);
  const fields = lines.map(parseField);
  const isChunked = fields.some(([name, value]) => name === "transfer-encoding" && value.toLowerCase() === "chunked");
  return { status, statusLine, fields, body: isChunked && method !== "HEAD" ? dechunk(rest) : rest };
}

/** Every value of a field; `name` is lower case. */
export function valuesOf(response: Pick<RawResponse, "fields">, name: string): readonly string[] {
  return response.fields.filter(([field]) => field === name).map(([, value]) => value);
}

/** Splits a field line. */
export function parseField(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

/** The content of a chunked body; throws when it is cut short. */
export function dechunk(text: string): string {
  let content = "";
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (lineEnd === -1 || Number.isNaN(size)) throw new Error(`broken chunked body: ${JSON.stringify(text)}`);
    if (size === 0) return content;
    content += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
    if (at > text.length) throw new Error(`chunked body cut short: ${JSON.stringify(text)}`);
  }
}
