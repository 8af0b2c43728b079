/** A query without every argument of that name; the others stay as they were sent. */
export function withoutArgument(query: string, name: string): string {
  return query
    .split("&")
    .filter((part) => decodeName(part) !== name)
    .join("&");
}

/** The decoded name of one argument, as a byte string. */
function decodeName(part: string): string {
  const equals = part.indexOf("=");
  return (equals < 0 ? part : part.slice(0, equals))
    .replaceAll("+", " ")
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
