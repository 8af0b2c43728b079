/**
 * Normalises a request path as nginx computes `$uri`: percent-decoded once, repeated slashes merged, dot segments
 * resolved. Returns the decoded segments without trailing empty ones; undefined when the path cannot be read
 * (bad escape, NUL, bytes that are not UTF-8, more `..` than segments).
 */
export function parseRequestPath(rawPath: string): readonly string[] | undefined {
  const decoded = decodePath(rawPath);
  if (decoded === undefined || decoded.includes("\0") || !decoded.startsWith("/")) return undefined;
  const segments: string[] = [];
  for (const segment of decoded.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments;
}

/** The path in the one spelling that routes are matched against. */
export function renderRequestPath(segments: readonly string[]): string {
  return `/${segments.map(encodeURIComponent).join("/")}`;
}

function decodePath(rawPath: string): string | undefined {
  try {
    return decodeURIComponent(rawPath);
  } catch {
    return undefined;
  }
}
