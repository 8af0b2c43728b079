import { SharedPool } from "../shared-pool.ts";
import type { ParsedUri, Pattern } from "./pattern.ts";
import { restPattern } from "./rest-pattern.ts";
import { SegmentPattern } from "./segment-pattern.ts";
import { type Token, tokenize } from "./tokens.ts";

/** Takes a URI pattern apart into its place in the tree and what remains to be checked there. */
export function parseUri(uri: string, hasSegmentNames: boolean): ParsedUri {
  const star = uri.indexOf("*");
  const hasNames = hasSegmentNames && uri.includes("/:");
  if (star < 0 && !hasNames) return { text: uri, literalLength: uri.length, isDynamic: false, pattern: undefined };
  // Most patterns are no more than a prefix: nothing of them has to be taken apart.
  if (star === uri.length - 1 && !hasNames) {
    const pattern = star === 0 || uri.endsWith("/*") ? restPattern(star) : undefined;
    return { text: uri, literalLength: star, isDynamic: true, pattern };
  }
  const tokens = tokenize(uri, hasSegmentNames);
  const first = tokens[0];
  const literalLength = first?.kind === "text" ? first.text.length : 0;
  const dynamic = literalLength > 0 ? tokens.slice(1) : tokens;
  return { text: uri, literalLength, isDynamic: true, pattern: segmentPattern(literalLength, dynamic) };
}

const sharedPatterns = new SharedPool<Pattern>();

function segmentPattern(literalLength: number, dynamic: readonly Token[]): Pattern {
  const shape = `${literalLength}${dynamic.map(shapeOf).join("")}`;
  return sharedPatterns.take(shape, () => new SegmentPattern(literalLength, dynamic));
}

/** What a pattern has to know of a token: of text no more than its length. No name contains a slash. */
function shapeOf(token: Token): string {
  if (token.kind === "text") return `/${token.text.length}`;
  if (token.kind === "segment") return `/:${token.name}`;
  return token.name === undefined ? "/" : `/*${token.name}`;
}
