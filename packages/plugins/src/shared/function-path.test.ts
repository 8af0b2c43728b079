import { describe, expect, it } from "vitest";
import { joinFunctionPath } from "./function-path.ts";

describe("joinFunctionPath", () => {
  it.each([
    ["/default/fn/test", undefined, "/default/fn/test"],
    ["/default/fn", "123", "/default/fn/123"],
    ["/default/fn", "", "/default/fn/"],
    ["/default/fn/", "123", "/default/fn/123"],
    ["/default/fn/", "", "/default/fn/"],
    ["/default/fn/", undefined, "/default/fn/"],
    ["", "openfunction", "/openfunction"],
    ["", "", "/"],
    ["", undefined, "/"],
    ["/", undefined, "/"],
    ["/fn", "/a", "/fn/a"],
    ["/fn", "a/b", "/fn/a/b"],
    ["/fn", "a;b=1", "/fn/a;b=1"],
    ["/fn", "a%2Fb", "/fn/a%252Fb"],
    ["/fn", "100%", "/fn/100%25"],
    ["/fn", "a b", "/fn/a%20b"],
    ["/fn", "a?b#c<d>`e", "/fn/a%3Fb%23c%3Cd%3E%60e"],
    ["/fn", "a\nb", "/fn/a%0Ab"],
    ["/fn", "\u00e4\u00bd\u00a0", "/fn/%E4%BD%A0"],
    ["/fn", "-._~!$&'()*+,;=:@", "/fn/-._~!$&'()*+,;=:@"],
  ])("joins %j and %j to %s", (basePath, remainder, expected) => {
    expect(joinFunctionPath(basePath, remainder)).toBe(expected);
  });
});
