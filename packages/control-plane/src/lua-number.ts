/** Reads a query argument as APISIX does (Lua's `tonumber`); undefined when it is no finite number. */
export function parseLuaNumber(text: string | null): number | undefined {
  if (text === null || !/^\s*[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*$/.test(text)) {
    return undefined;
  }
  const sign = text.trim().startsWith("-") ? -1 : 1;
  const number = sign * Number(text.trim().replace(/^[-+]/, ""));
  return Number.isFinite(number) ? number : undefined;
}
