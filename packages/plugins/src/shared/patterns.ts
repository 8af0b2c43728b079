import { messageOf } from "@fngate/kernel";
import { RE2JS } from "re2js";
import type { z } from "zod";

/** Tells whether a pattern occurs in a text. */
export type PatternTest = (text: string) => boolean;

/**
 * Compiles a user's regular expression. RE2 answers in time linear in the text, whoever wrote the pattern; what it
 * lacks for that (look-around, back-references) is refused.
 * @throws when the pattern is none, or one of those.
 */
export function compilePattern(source: string, { ignoreCase = false }: { readonly ignoreCase?: boolean } = {}): RE2JS {
  return RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
}

/** Compiles a list of patterns into one test: whether any of them occurs. Throws as {@link compilePattern} does. */
export function compilePatterns(sources: readonly string[], options?: { readonly ignoreCase?: boolean }): PatternTest {
  const patterns = sources.map((source) => compilePattern(source, options));
  return (text) => patterns.some((pattern) => pattern.test(text));
}

/** Reports the first pattern of the lists that cannot be compiled, at the place of the whole configuration. */
export function checkPatterns(
  context: z.core.$RefinementCtx,
  ...lists: readonly (readonly string[] | undefined)[]
): void {
  for (const source of lists.flatMap((list) => list ?? [])) {
    try {
      compilePattern(source);
    } catch (error) {
      context.addIssue({ code: "custom", message: `invalid regular expression "${source}": ${messageOf(error)}` });
      return;
    }
  }
}
