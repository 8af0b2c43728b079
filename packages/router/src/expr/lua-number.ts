const DECIMAL = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/;
const HEXADECIMAL = /^\s*[+-]?0[xX][0-9a-fA-F]+\s*$/;

/**
 * The number a value stands for, as Lua's `tonumber` sees it: numbers, and text in decimal or hexadecimal form with
 * white space around it. `undefined` for anything else, empty text and booleans included.
 */
export function toNumber(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return undefined;
  if (DECIMAL.test(value)) return Number(value);
  return HEXADECIMAL.test(value) ? hexadecimal(value.trim()) : undefined;
}

/** `Number` takes no sign before `0x`. */
function hexadecimal(text: string): number {
  if (text.startsWith("-")) return -Number(text.slice(1));
  return Number(text.startsWith("+") ? text.slice(1) : text);
}
