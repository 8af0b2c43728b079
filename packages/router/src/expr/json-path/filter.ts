import { memberOf } from "./selectors.ts";

type Predicate = (item: unknown) => boolean;

/** `@.a['b'].c`, the operator and the literal of one comparison. */
const COMPARISON =
  /^\s*(!?)\s*@((?:\.[\w$-]+|\['[^']*'\]|\["[^"]*"\])*)\s*(?:(==|!=|<=|>=|<|>)\s*('[^']*'|"[^"]*"|-?\d+(?:\.\d+)?|true|false|null))?\s*$/;
const STEP = /\.([\w$-]+)|\['([^']*)'\]|\["([^"]*)"\]/g;

const ORDERS: Readonly<Record<string, (actual: number | string, expected: number | string) => boolean>> = {
  "<": (actual, expected) => actual < expected,
  "<=": (actual, expected) => actual <= expected,
  ">": (actual, expected) => actual > expected,
  ">=": (actual, expected) => actual >= expected,
};

/**
 * Compiles the inside of `[?(…)]`: members of the item (`@`) that are there or compare with a literal, joined by
 * `&&` and `||`. Nothing for what is more than that.
 */
export function compileFilter(text: string): Predicate | undefined {
  return joined(text, "||", (alternative) => joined(alternative, "&&", compileComparison));
}

/** Splits at a word outside of quotes and joins what comes of the parts. */
function joined(
  text: string,
  word: "&&" | "||",
  compile: (part: string) => Predicate | undefined,
): Predicate | undefined {
  const parts = splitUnquoted(text, word).map(compile);
  const predicates = parts.filter((part) => part !== undefined);
  if (predicates.length !== parts.length) return undefined;
  return word === "&&"
    ? (item) => predicates.every((holds) => holds(item))
    : (item) => predicates.some((holds) => holds(item));
}

function splitUnquoted(text: string, word: string): string[] {
  const parts: string[] = [];
  let quote = "";
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (quote !== "") {
      if (character === quote) quote = "";
    } else if (character === "'" || character === '"') quote = character;
    else if (text.startsWith(word, at)) {
      parts.push(text.slice(from, at));
      at += word.length - 1;
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)];
}

function compileComparison(text: string): Predicate | undefined {
  const found = COMPARISON.exec(text);
  if (found === null) return undefined;
  const [, not, path = "", operator, literal] = found;
  const steps = [...path.matchAll(STEP)].map((step) => step[1] ?? step[2] ?? step[3] ?? "");
  const read = (item: unknown): unknown => steps.reduce(memberOf, item);
  const holds = operator === undefined ? isThere(read) : compares(read, operator, parseLiteral(literal ?? ""));
  return not === "!" ? (item) => !holds(item) : holds;
}

function isThere(read: (item: unknown) => unknown): Predicate {
  return (item) => {
    const value = read(item);
    return value !== undefined && value !== null && value !== false;
  };
}

function compares(read: (item: unknown) => unknown, operator: string, expected: unknown): Predicate {
  if (operator === "==") return (item) => read(item) === expected;
  if (operator === "!=") return (item) => read(item) !== expected;
  const order = ORDERS[operator];
  return (item) => {
    const actual = read(item);
    if (typeof actual === "number" && typeof expected === "number") return order?.(actual, expected) === true;
    return typeof actual === "string" && typeof expected === "string" && order?.(actual, expected) === true;
  };
}

function parseLiteral(text: string): unknown {
  return text.startsWith("'") || text.startsWith('"') ? text.slice(1, -1) : JSON.parse(text);
}
