import { describe, expect, it } from "vitest";
import { encodeQuery } from "./query.ts";

describe("encodeQuery", () => {
  it.each([
    ["", ""],
    ["x=1", "x=1"],
    ["a=1&b=2&a=3", "a=1&b=2&a=3"],
    ["s=a+b%20c", "s=a%20b%20c"],
    ["flag&e=", "flag&e="],
    ["=a&b=&&c&=", "b=&c"],
    ["=a", ""],
    ["&", ""],
    ["a&", "a"],
    ["d==e", "d=%3De"],
    ["a=%zz", "a=%25zz"],
    ["a=%", "a=%25"],
    ["a=%4", "a=%254"],
    ["a=%41", "a=A"],
    ["a=%2f", "a=%2F"],
    ["a=%2F", "a=%2F"],
    ["x=a/b:c@d[]", "x=a%2Fb%3Ac%40d%5B%5D"],
    ["k-._~!'()*=v-._~!'()*", "k-._~!'()*=v-._~!'()*"],
    ["q=%E4%BD%A0", "q=%E4%BD%A0"],
    ["q=\u00e4\u00bd\u00a0", "q=%E4%BD%A0"],
    ["a%3Db=1", "a%3Db=1"],
    ["y=1+2&x", "y=1%202&x"],
    ["a;b=1", "a%3Bb=1"],
    ["nul=%00", "nul=%00"],
  ])("writes %j as %j", (query, expected) => {
    expect(encodeQuery(query)).toBe(expected);
  });

  it("changes nothing the second time", () => {
    for (const query of ["a=1&b", "s=a+b", "=x&y==z", "%zz=%zz", "a=\u00ff", "&&a=&"]) {
      const once = encodeQuery(query);
      expect(encodeQuery(once)).toBe(once);
    }
  });

  it("keeps every argument, however many there are", () => {
    const query = Array.from({ length: 2000 }, (_, index) => `k${index}=+`).join("&");
    expect(encodeQuery(query).split("&")).toHaveLength(2000);
  });
});
