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
    expect(joinFunctionPath(basePath, { remainder, path: `/hello/${remainder}` })).toBe(expected);
  });

  it.each([
    ["/hello/a/b", "a%2Fb", "/fn/a%2Fb"],
    ["/hello/a%2Fb", "a%2Fb", "/fn/a%252Fb"],
    ["/hello/a/b%2Fc", "a%2Fb%2Fc", "/fn/a%2Fb%252Fc"],
    ["/hello/a%2Fb/c/d", "a%2Fb%2Fc/d", "/fn/a%252Fb%2Fc/d"],
    ["/hello/a/", "a%2F", "/fn/a%2F"],
    ["/hello//", "%2F", "/fn/%2F"],
    ["/hello/a/b c/", "a%2Fb c", "/fn/a%2Fb%20c"],
  ])("of the path %s keeps the slashes that %j holds encoded", (path, remainder, expected) => {
    expect(joinFunctionPath("/fn", { remainder, path })).toBe(expected);
  });
});
