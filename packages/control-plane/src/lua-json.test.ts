import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeLuaJson } from "./lua-json.ts";

const decode = (text: string) => decodeLuaJson(Buffer.from(text, "utf8"));

describe("refused bodies", () => {
  it.each([
    ["{bad", "Expected object key string but found invalid token at character 2"],
    ["{a:1}", "Expected object key string but found invalid token at character 2"],
    ["{'a':1}", "Expected object key string but found invalid token at character 2"],
    ['{"a":}', "Expected value but found T_OBJ_END at character 6"],
    ['{"a":1,}', "Expected object key string but found T_OBJ_END at character 8"],
    ["[1,]", "Expected value but found T_ARR_END at character 4"],
    ['{"a":1', "Expected comma or object end but found T_END at character 7"],
    ['{"a":"b', "Expected value but found unexpected end of string at character 8"],
    ['{"a":"\\x"}', "Expected value but found invalid escape code at character 7"],
    ['{"a":1}}', "Expected the end but found T_OBJ_END at character 8"],
    ["abc", "Expected value but found invalid token at character 1"],
    [" ", "Expected value but found T_END at character 2"],
    ['{"a" 1}', "Expected colon but found T_NUMBER at character 6"],
    ["[1 2]", "Expected comma or array end but found T_NUMBER at character 4"],
    ['["\\u12"]', "Expected value but found invalid unicode escape code at character 3"],
    ['["\\ud800"]', "Expected value but found invalid unicode escape code at character 3"],
    ['["\\udc00\\ud800"]', "Expected value but found invalid unicode escape code at character 3"],
    ["[-]", "Expected value but found invalid number at character 2"],
    ["[NaN]", "Expected value but found invalid token at character 2"],
    ["[0x1F]", "Expected value but found invalid number at character 2"],
    ["[1e999]x", "Expected value but found invalid number at character 2"],
    ["\uFEFF{}", "Expected value but found invalid token at character 1"],
    ['{"ä":1,}', "Expected object key string but found T_OBJ_END at character 9"],
  ])("%j is refused with the decoder's words", (body, message) => {
    expect(decode(body)).toEqual({ ok: false, message });
  });

  it("nesting beyond 1000 levels is refused where the bracket stands", () => {
    expect(decode("[".repeat(1001))).toEqual({
      ok: false,
      message: "Found too many nested data structures (1001) at character 1001",
    });
    expect(decode(`${"[".repeat(1000)}${"]".repeat(1000)}`)).toMatchObject({ ok: true });
  });

  it("bytes that are not UTF-8 are refused instead of being stored mangled", () => {
    expect(decodeLuaJson(Uint8Array.of(0x22, 0xff, 0x22))).toEqual({ ok: false, message: "body is not valid UTF-8" });
  });
});

describe("accepted bodies", () => {
  it.each([
    ["[01, +2, -0.5e1]", [1, 2, -5]],
    ['{"a":"one\ntwo"}', { a: "one\ntwo" }],
    ['{"a":1,"a":2}', { a: 2 }],
    ['["\\u00e9\\ud83d\\ude00é"]', ["é😀é"]],
    ['["tab\there", "\\ud83d\\ude00\\n"]', ["tab\there", "😀\n"]],
    ["null", null],
    [" 12 ", 12],
  ])("%j is decoded", (body, value) => {
    expect(decode(body)).toEqual({ ok: true, value });
  });

  it.each(['{"__proto__":{"polluted":true}}', '{"__proto__":{"polluted":true},"raw":"\n"}'])(
    "a member called __proto__ in %j stays an own member",
    (body) => {
      const result = decode(body);
      const value = result.ok ? result.value : undefined;
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(Object.keys(Object(value))).toContain("__proto__");
    },
  );
});

it("whatever JSON.stringify writes decodes to the same value", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(decode(text)).toEqual({ ok: true, value: JSON.parse(text) });
    }),
  );
});

it("no input makes the decoder throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(typeof decodeLuaJson(bytes).ok).toBe("boolean");
    }),
  );
});
