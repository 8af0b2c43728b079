/** The first query argument of that name, decoded to bytes; true when it has no `=` (APISIX variables). */
export function readArgument(query: string, name: string): string | true | undefined {
  for (const part of query.split("&")) {
    const equals = part.indexOf("=");
    if (decode(equals < 0 ? part : part.slice(0, equals)) === name)
      return equals < 0 ? true : decode(part.slice(equals + 1));
  }
  return undefined;
}

function decode(text: string): string {
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  return spaced.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
