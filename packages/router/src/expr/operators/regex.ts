import { RE2JS } from "re2js";
import type { Operator, Test } from "./operator.ts";

/** `~~`: an unanchored search. */
export const matches: Operator = { name: "~~", compile: (expected) => searchFor(expected, 0) };

/** `~*`: the same without case. */
export const matchesWithoutCase: Operator = {
  name: "~*",
  compile: (expected) => searchFor(expected, RE2JS.CASE_INSENSITIVE),
};

/**
 * RE2 answers in time linear in the text whoever wrote the pattern. A pattern it cannot take (look-ahead and
 * back-references among them) never matches, as APISIX treats an invalid one.
 */
function searchFor(expected: unknown, flags: number): Test {
  const regex = tryCompile(expected, flags);
  if (regex === undefined) return () => false;
  return (actual) => {
    const text = asText(actual);
    return text !== undefined && regex.test(text);
  };
}

/** Tells whether a pattern can ever match. */
export function isSupportedPattern(expected: unknown): boolean {
  return tryCompile(expected, 0) !== undefined;
}

function tryCompile(expected: unknown, flags: number): RE2JS | undefined {
  const pattern = asText(expected);
  if (pattern === undefined) return undefined;
  try {
    return RE2JS.compile(pattern, flags);
  } catch {
    return undefined;
  }
}

function asText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : undefined;
}
