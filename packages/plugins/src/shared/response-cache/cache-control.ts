/** Directives of `Cache-Control` by lower-case name; `true` for one without value. */
export type Directives = ReadonlyMap<string, string | true>;

/** Parses the fields' values (RFC 9111, 5.2). */
export function parseDirectives(values: readonly string[]): Directives {
  const directives = new Map<string, string | true>();
  for (const part of values.join(",").split(",")) {
    const equals = part.indexOf("=");
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (name === "") continue;
    const value = part
      .slice(equals + 1)
      .trim()
      .replace(/^"(.*)"$/, "$1");
    directives.set(name, equals < 0 ? true : value);
  }
  return directives;
}

/** The value of a directive in seconds; nothing when it is absent or no number. */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const value = directives.get(name);
  return typeof value === "string" && /^\d+$/.test(value) ? Number(value) : undefined;
}

/** Lower-case names of the fields that an answer varies by, sorted; nothing when no other request may have it. */
export function parseVary(values: readonly string[]): readonly string[] | undefined {
  const names = values
    .flatMap((value) => value.split(","))
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  return names.includes("*") ? undefined : [...new Set(names)].toSorted();
}
