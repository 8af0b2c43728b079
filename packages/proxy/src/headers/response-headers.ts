/** Fields of an answer that concern one connection only (RFC 9110 section 7.6.1), by length and lower-case name. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** The lengths of the names in {@link HOP_BY_HOP}; most fields are told apart by length alone. */
const HOP_BY_HOP_LENGTHS = lengthsOf(HOP_BY_HOP);

/**
 * Decodes an answer's flat raw fields and drops the hop-by-hop ones, those named by `Connection` included.
 *
 * Names keep their case, values are latin-1 strings.
 */
export function responseHeaders(raw: readonly (Buffer | string)[]): string[] {
  const headers: string[] = [];
  let named: string | undefined;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = textOf(raw[index]);
    const value = textOf(raw[index + 1]);
    if (HOP_BY_HOP_LENGTHS[name.length] !== true) {
      headers.push(name, value);
      continue;
    }
    const lower = name.toLowerCase();
    if (!HOP_BY_HOP.has(lower)) headers.push(name, value);
    else if (lower === "connection" && !isPlainOption(value)) named = named === undefined ? value : `${named},${value}`;
  }
  return named === undefined ? headers : withoutNamed(headers, named);
}

/** Drops the fields that a `Connection` value names. */
export function withoutNamed(headers: readonly string[], connection: string): string[] {
  const named = new Set<string>();
  for (const option of connection.split(",")) named.add(option.trim().toLowerCase());
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    if (!named.has(name.toLowerCase())) kept.push(name, headers[index + 1] ?? "");
  }
  return kept;
}

/** Tells whether a `Connection` value is one of the two options that name no field. */
export function isPlainOption(value: string): boolean {
  if (value.length !== 5 && value.length !== 10) return false;
  const lower = value.toLowerCase();
  return lower === "close" || lower === "keep-alive";
}

/** A table from name length to "some name has it". */
export function lengthsOf(names: ReadonlySet<string>): readonly boolean[] {
  const lengths: boolean[] = new Array(32).fill(false);
  for (const name of names) lengths[name.length] = true;
  return lengths;
}

function textOf(field: Buffer | string | undefined): string {
  return typeof field === "string" ? field : (field?.toString("latin1") ?? "");
}
