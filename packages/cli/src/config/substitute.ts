import type { Environment } from "./environment.ts";

/** What became of a text with `${{NAME}}` in it. */
export interface Substitution {
  /** The result after APISIX's typing: a number, a boolean or a text. */
  readonly value: string | number | boolean;
  /** The result as text, for keys that are texts whatever they look like. */
  readonly text: string;
  /** Variables it was made from, in order. */
  readonly names: readonly string[];
  /** Variables that are not set and have no default. */
  readonly missing: readonly string[];
}

/** `${{NAME}}` or `${{NAME:=default}}`; the default may hold anything up to the closing braces. */
const REFERENCE = /\$\{\{\s*([A-Za-z0-9_]+)\s*(?::=(.*?))?\s*\}\}/gs;

/** What Lua's `tonumber` reads, which decides about the type in APISIX. */
const NUMBER = /^\s*[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*$/;

/**
 * Replaces environment references in a text, or returns nothing when it has none. A variable that is set but empty
 * wins over the default.
 */
export function substitute(text: string, environment: Environment): Substitution | undefined {
  const names: string[] = [];
  const missing: string[] = [];
  const replaced = text.replace(REFERENCE, (_, name: string, fallback: string | undefined) => {
    names.push(name);
    const value = (Object.hasOwn(environment, name) ? environment[name] : undefined) ?? fallback?.trim();
    if (value === undefined) missing.push(name);
    return value ?? "";
  });
  if (names.length === 0) return undefined;
  return { value: typed(replaced), text: replaced, names, missing };
}

function typed(text: string): string | number | boolean {
  if (text === "true") return true;
  if (text === "false") return false;
  if (!NUMBER.test(text)) return text;
  const trimmed = text.trim();
  // Number() knows no sign in front of a hexadecimal number.
  return /^[-+]0x/i.test(trimmed) ? Number(trimmed.slice(1)) * (trimmed.startsWith("-") ? -1 : 1) : Number(trimmed);
}
