import { describe, expect, it } from "vitest";
import { codePointLength, formatNumber, luaTypeOf, quote } from "./lua-format.ts";

describe("formatNumber", () => {
  it.each([
    [-1, "-1"],
    [0, "0"],
    [-0.5, "-0.5"],
    [70_000, "70000"],
    [-1e20, "-1e+20"],
    [1e14, "1e+14"],
    [99_999_999_999_999, "99999999999999"],
    [1_234_567_890_123_456, "1.2345678901235e+15"],
    [0.1 + 0.2, "0.3"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [1.5e-7, "1.5e-07"],
    [1e100, "1e+100"],
    [100, "100"],
    [Number.POSITIVE_INFINITY, "inf"],
    [Number.NEGATIVE_INFINITY, "-inf"],
    [Number.NaN, "nan"],
  ])("prints %d as C does with %%.14g", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});

describe("quote", () => {
  it.each([
    ["plain", '"plain"'],
    ['say "hi"', '"say \\"hi\\""'],
    ["a\\b", '"a\\\\b"'],
    ["a\nb", '"a\\\nb"'],
    ["a\rb", '"a\\rb"'],
    ["a\0b", '"a\\0b"'],
    ["tab\tand ü", '"tab\tand ü"'],
  ])("quotes %j as Lua's %%q", (text, quoted) => {
    expect(quote(text)).toBe(quoted);
  });
});

describe("codePointLength", () => {
  it.each([
    ["", 0],
    ["abc", 3],
    ["ü", 1],
    ["😀", 1],
    ["a😀b😀", 4],
    ["\ud83d", 1],
    ["\ude00\ud83d", 2],
  ])("counts %j as %d code points", (text, length) => {
    expect(codePointLength(text)).toBe(length);
  });
});

describe("luaTypeOf", () => {
  it.each([
    [undefined, "nil"],
    [null, "userdata"],
    [{}, "table"],
    [[], "table"],
    ["", "string"],
    [0, "number"],
    [false, "boolean"],
  ])("calls %j a %s", (value, name) => {
    expect(luaTypeOf(value)).toBe(name);
  });
});
