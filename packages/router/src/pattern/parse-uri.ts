import type { ParsedUri, Pattern } from "./pattern.ts";
import { restPattern } from "./rest-pattern.ts";
import { SegmentPattern } from "./segment-pattern.ts";
import { type Token, tokenize } from "./tokens.ts";

/** Takes a URI pattern apart into its place in the tree and what remains to be checked there. */
export function parseUri(uri: string, hasSegmentNames: boolean): ParsedUri {
  if (!(uri.includes("*") || (hasSegmentNames && uri.includes("/:")))) {
    return { text: uri, literalLength: uri.length, isDynamic: false, pattern: undefined };
  }
  const tokens = tokenize(uri, hasSegmentNames);
  const first = tokens[0];
  const literalLength = first?.kind === "text" ? first.text.length : 0;
  const dynamic = literalLength > 0 ? tokens.slice(1) : tokens;
  const pattern = compilePattern(dynamic, { uri, hasSegmentNames, literalLength });
  return { text: uri, literalLength, isDynamic: dynamic.length > 0, pattern };
}

interface Place {
  readonly uri: string;
  readonly hasSegmentNames: boolean;
  readonly literalLength: number;
}

function compilePattern(dynamic: readonly Token[], place: Place): Pattern | undefined {
  const [first, second] = dynamic;
  if (first === undefined) return undefined;
  if (first.kind === "star" && second === undefined) {
    if (first.name === undefined) return undefined;
    if (first.name === "") return restPattern(place.literalLength);
  }
  return segmentPattern(dynamic, place);
}

/** Many routes go on alike behind their literal text: one pattern for all of them stays in the processor's cache. */
const MOST_SHARED = 4096;
const sharedPatterns = new Map<string, Pattern>();

function segmentPattern(dynamic: readonly Token[], { hasSegmentNames, literalLength, uri }: Place): Pattern {
  // A star means another thing where the text before it ends with a slash.
  const text = uri.slice(Math.max(0, literalLength - 1));
  const key = `${literalLength}${hasSegmentNames ? ":" : "*"}${text}`;
  const known = sharedPatterns.get(key);
  if (known !== undefined) return known;
  const pattern = new SegmentPattern(literalLength, dynamic);
  if (sharedPatterns.size < MOST_SHARED) sharedPatterns.set(key, pattern);
  return pattern;
}
