import type { ParsedUri, Pattern } from "./pattern.ts";
import { RestPattern } from "./rest-pattern.ts";
import { SegmentPattern } from "./segment-pattern.ts";
import { type Token, tokenize } from "./tokens.ts";

/** Takes a URI pattern apart into its place in the tree and what remains to be checked there. */
export function parseUri(uri: string, hasSegmentNames: boolean): ParsedUri {
  if (!(uri.includes("*") || (hasSegmentNames && uri.includes("/:")))) {
    return { literal: uri, isDynamic: false, pattern: undefined };
  }
  const tokens = tokenize(uri, hasSegmentNames);
  const first = tokens[0];
  const literal = first?.kind === "text" ? first.text : "";
  const dynamic = first?.kind === "text" ? tokens.slice(1) : tokens;
  return { literal, isDynamic: dynamic.length > 0, pattern: compilePattern(literal, dynamic) };
}

function compilePattern(literal: string, dynamic: readonly Token[]): Pattern | undefined {
  const [first, second] = dynamic;
  if (first === undefined) return undefined;
  if (first.kind === "star" && second === undefined) {
    if (first.name === undefined) return undefined;
    if (first.name === "") return new RestPattern(literal.length);
  }
  return new SegmentPattern(literal.length, dynamic);
}
