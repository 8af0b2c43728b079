import { compileJsonPath } from "./json-path/compile-json-path.ts";
import { isSupportedPattern, matches, matchesWithoutCase } from "./operators/regex.ts";

const REGEX_OPERATORS: ReadonlySet<unknown> = new Set([matches.name, matchesWithoutCase.name]);

/**
 * The regular expressions of a valid `vars` expression that never match: invalid ones, and those with look-ahead or
 * back-references, which APISIX's engine takes and a linear-time one cannot. Worth a warning, above all where the
 * condition is negated and therefore always holds.
 */
export function unsupportedPatterns(vars: unknown): readonly string[] {
  if (!Array.isArray(vars)) return [];
  const elements: readonly unknown[] = vars;
  // A condition ends with its operator and value, negated or not; its variable comes first.
  if (typeof elements[0] === "string" && REGEX_OPERATORS.has(elements.at(-2))) {
    const pattern = elements.at(-1);
    return isSupportedPattern(pattern) ? [] : [String(pattern)];
  }
  return elements.flatMap(unsupportedPatterns);
}

/**
 * The paths of `post_arg.<path>` conditions that cannot be read as JSONPath. Nothing could be found by one, and where
 * its condition is negated it would always hold.
 */
export function unreadablePaths(vars: unknown): readonly string[] {
  return variableNames(vars)
    .filter((name) => name.startsWith(PATH_PREFIX))
    .map((name) => name.slice(PATH_PREFIX.length))
    .filter((path) => !isReadablePath(path));
}

/** The variables that a valid `vars` expression asks for, each as often as it does. */
export function variableNames(vars: unknown): readonly string[] {
  if (!Array.isArray(vars)) return [];
  const elements: readonly unknown[] = vars;
  const [first] = elements;
  if (typeof first !== "string" || Array.isArray(elements[1])) return elements.flatMap(variableNames);
  return [first];
}

const PATH_PREFIX = "post_arg.";

function isReadablePath(path: string): boolean {
  try {
    compileJsonPath(path);
    return true;
  } catch {
    return false;
  }
}
