import type { RE2JS } from "re2js";

type Part = string | number;

/** A replacement text with `$1`, `${1}` and `$0` in it, taken apart once; `$$` is a dollar sign (APISIX: `ngx.re.sub`). */
export interface Substitution {
  /** The text with its first match replaced; nothing when there is none. */
  first(text: string): string | undefined;
  /** The text with every match replaced; nothing when there is none. */
  all(text: string): string | undefined;
}

const MARK = /\$(?:\$|\{(\d+)\}|(\d+))/g;

/** Compiles the replacement of a pattern's matches. */
export function compileSubstitution(pattern: RE2JS, replacement: string): Substitution {
  const parts = partsOf(replacement);
  return {
    first: (text) => substitute(pattern, parts, { text, isOnce: true }),
    all: (text) => substitute(pattern, parts, { text, isOnce: false }),
  };
}

function substitute(
  pattern: RE2JS,
  parts: readonly Part[],
  { isOnce, text }: { readonly text: string; readonly isOnce: boolean },
): string | undefined {
  const matcher = pattern.matcher(text);
  let result = "";
  let from = 0;
  let count = 0;
  while ((count === 0 || !isOnce) && matcher.find()) {
    count += 1;
    result += text.slice(from, matcher.start());
    for (const part of parts) {
      if (typeof part === "string") result += part;
      else if (part <= matcher.groupCount()) result += matcher.group(part) ?? "";
    }
    from = matcher.end();
  }
  return count === 0 ? undefined : result + text.slice(from);
}

function partsOf(replacement: string): readonly Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const match of replacement.matchAll(MARK)) {
    parts.push(replacement.slice(from, match.index));
    const group = match[1] ?? match[2];
    parts.push(group === undefined ? "$" : Number(group));
    from = match.index + match[0].length;
  }
  parts.push(replacement.slice(from));
  return parts;
}
