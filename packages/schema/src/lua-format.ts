/**
 * How APISIX's validator prints values. It runs on Lua, and the names and number formats of that language are part of
 * the texts clients compare.
 */

/** The Lua name of a JSON value's type: objects and arrays are `table`, `null` is `userdata`, a missing value is `nil`. */
export function luaTypeOf(value: unknown): string {
  if (value === undefined) return "nil";
  if (value === null) return "userdata";
  return typeof value === "object" ? "table" : typeof value;
}

/** Prints a number as C's `%.14g`: at most 14 significant digits, an exponent below 1e-4 and from 1e14 on. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const [mantissa = "0", exponentText = "0"] = value.toExponential(13).split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 14) return trimZeros(value.toFixed(13 - exponent));
  const digits = String(Math.abs(exponent)).padStart(2, "0");
  return `${trimZeros(mantissa)}e${exponent < 0 ? "-" : "+"}${digits}`;
}

/** Quotes a text as Lua's `%q`: backslash and quote escaped, a newline kept behind a backslash. */
export function quote(text: string): string {
  const escaped = text.replace(/[\\"\n\r\0]/g, (character) => QUOTED.get(character) ?? character);
  return `"${escaped}"`;
}

/** Length in Unicode code points, the unit of `minLength` and `maxLength`. */
export function codePointLength(text: string): number {
  let length = text.length;
  for (let index = 0; index + 1 < text.length; index += 1) {
    if (isHighSurrogate(text.charCodeAt(index)) && isLowSurrogate(text.charCodeAt(index + 1))) {
      length -= 1;
      index += 1;
    }
  }
  return length;
}

const QUOTED: ReadonlyMap<string, string> = new Map([
  ["\\", "\\\\"],
  ['"', '\\"'],
  ["\n", "\\\n"],
  ["\r", "\\r"],
  ["\0", "\\0"],
]);

function trimZeros(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
