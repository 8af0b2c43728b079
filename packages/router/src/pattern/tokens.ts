/** One piece of a URI pattern. */
export type Token =
  | { readonly kind: "text"; readonly text: string }
  /** A whole segment `:name`: one or more bytes, no slash. */
  | { readonly kind: "segment"; readonly name: string }
  /** A star: any bytes, none and slashes included. Without `name` it is part of a segment and captures nothing; with an empty one it is the remainder. */
  | { readonly kind: "star"; readonly name: string | undefined };

/**
 * Takes a URI pattern apart; neighbouring text is joined. Source: APISIX routing, "URI patterns".
 *
 * A segment that starts with a star is that star and its name. A star elsewhere in a segment is not captured.
 * A colon counts only at the start of a segment and only where `hasSegmentNames` says so: inside a segment it is
 * text, where APISIX would match everything below the text before it.
 */
export function tokenize(uri: string, hasSegmentNames: boolean): readonly Token[] {
  const tokens: Token[] = [];
  for (const [index, segment] of uri.split("/").entries()) {
    if (index > 0) appendText(tokens, "/");
    if (segment.startsWith("*")) tokens.push({ kind: "star", name: segment.slice(1) });
    else if (hasSegmentNames && segment.startsWith(":")) tokens.push({ kind: "segment", name: segment.slice(1) });
    else appendSegment(tokens, segment);
  }
  return tokens;
}

function appendSegment(tokens: Token[], segment: string): void {
  for (const [index, text] of segment.split("*").entries()) {
    if (index > 0) tokens.push({ kind: "star", name: undefined });
    appendText(tokens, text);
  }
}

function appendText(tokens: Token[], text: string): void {
  if (text === "") return;
  const last = tokens.at(-1);
  if (last?.kind === "text") tokens[tokens.length - 1] = { kind: "text", text: last.text + text };
  else tokens.push({ kind: "text", text });
}

/** How much of the pattern a token takes. */
export function widthOf(token: Token): number {
  return token.kind === "text" ? token.text.length : 1 + (token.name?.length ?? 0);
}
