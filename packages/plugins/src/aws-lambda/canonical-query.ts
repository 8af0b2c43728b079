import { escapeByte, percentDecode } from "../shared/percent-encoding.ts";

/** Decoded values by decoded name, as many as there are of each. */
export type Arguments = Readonly<Record<string, string[]>>;

/** Takes a query apart in which every name and value is percent-encoded UTF-8 and `+` is no blank. */
export function parseQuery(query: string): Record<string, string[]> {
  const args: Record<string, string[]> = Object.create(null);
  for (const argument of query === "" ? [] : query.split("&")) {
    const split = argument.indexOf("=");
    const name = decode(split === -1 ? argument : argument.slice(0, split));
    const value = split === -1 ? "" : decode(argument.slice(split + 1));
    const values = args[name] ?? [];
    values.push(value);
    args[name] = values;
  }
  return args;
}

/**
 * The query that is signed and sent: everything encoded but unreserved characters, sorted by name and value, each
 * argument with its `=` (AWS Signature Version 4, canonical query string).
 */
export function renderCanonicalQuery(args: Arguments): string {
  return Object.entries(args)
    .map(([name, values]) => [encode(name), values.map(encode).toSorted()] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, values]) => values.map((value) => `${name}=${value}`))
    .join("&");
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => escapeByte(character.charCodeAt(0)));
}

/** Bytes that are no UTF-8 become U+FFFD. */
function decode(text: string): string {
  return Buffer.from(percentDecode(text), "latin1").toString("utf8");
}
