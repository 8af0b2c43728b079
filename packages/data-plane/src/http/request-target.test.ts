import { describe, expect, test } from "vitest";
import { parseTarget } from "./request-target.ts";

const plain = { deleteTailSlash: false, keepEncodedSlash: false, dropParameters: false };

describe("a request target", () => {
  test.each([
    ["/", "/"],
    ["/a/b", "/a/b"],
    ["/a/b/", "/a/b/"],
    ["/a//b///c", "/a/b/c"],
    ["/a/./b", "/a/b"],
    ["/a/b/..", "/a/"],
    ["/a/b/.", "/a/b/"],
    ["/a/../b", "/b"],
    ["/a/x/../../b", "/b"],
    ["/..a/.b/c..", "/..a/.b/c.."],
    ["/a%2Fb", "/a/b"],
    ["/a%2f%2Fb", "/a/b"],
    ["/a/%2e%2E/b", "/b"],
    ["/a%20b%3Fc%23d", "/a b?c#d"],
    ["/100%25", "/100%"],
    ["/a%252Fb", "/a%2Fb"],
    ["/%E4%BD%A0", "/\u00e4\u00bd\u00a0"],
    ["/%ff", "/\u00ff"],
    ["/a;b=1", "/a;b=1"],
    ["/A", "/A"],
    ["/a#frag", "/a"],
    ["/a?x#frag", "/a"],
    ["//", "/"],
  ])("%s is matched as %s", (target, path) => {
    expect(parseTarget(target, plain)).toMatchObject({ path, matchPath: path });
  });

  test.each([
    "*",
    "",
    "a",
    "/%zz",
    "/%",
    "/%4",
    "/a%00b",
    "/..",
    "/../a",
    "/a/../../b",
    "/%2e%2e/a",
    "ftp://h/a",
    "http://",
  ])("%s is refused", (target) => {
    expect(parseTarget(target, plain)).toBeUndefined();
  });

  test.each([
    ["/a", ""],
    ["/a?", ""],
    ["/a?x=1&y#z", "x=1&y"],
    ["/a?b?c", "b?c"],
    ["/a#b?c", ""],
    ["/a?%zz", "%zz"],
  ])("%s has the query %j", (target, query) => {
    expect(parseTarget(target, plain)?.query).toBe(query);
  });

  test.each([
    ["http://H.example:80/p/../q?x#f", "H.example:80", "/p/../q?x", "/q"],
    ["HTTPS://h", "h", "/", "/"],
    ["http://h?x=1", "h", "/?x=1", "/"],
  ])("%s names the authority %s", (target, authority, ...[origin, path]) => {
    expect(parseTarget(target, plain)).toMatchObject({ authority, origin, path });
  });

  test.each([
    ["/a/", "/a"],
    ["/", ""],
    ["/a", "/a"],
    ["/a//", "/a"],
  ])("%s without its tail slash is matched as %j, and stays what it is for plugins", (target, matchPath) => {
    const parsed = parseTarget(target, { ...plain, deleteTailSlash: true });
    expect(parsed?.matchPath).toBe(matchPath);
    expect(parsed?.path).toBe(parseTarget(target, plain)?.path);
  });

  test.each([
    ["/a%2fb", "/a%2Fb"],
    ["/a%2Fb%20c", "/a%2Fb c"],
    ["/a//b%2Fc", "/a/b/c"],
    ["/a/./b%2Fc", "/a/b/c"],
    ["http://h/a%2Fb", "/a/b"],
    ["/a/b", "/a/b"],
  ])("%s with encoded slashes kept is matched as %s", (target, matchPath) => {
    expect(parseTarget(target, { ...plain, keepEncodedSlash: true })?.matchPath).toBe(matchPath);
  });

  test.each([
    ["/hello;world", "/hello"],
    ["/hello;a=b/world;a/;", "/hello/world/"],
    ["/a;x;y/b", "/a/b"],
    ["/a%3Bx/b", "/a/b"],
    ["/a/b;", "/a/b"],
    ["/a/b", "/a/b"],
    ["/...;/b", "/.../b"],
  ])("like a servlet container's, %s is %s, and goes on as it came", (target, path) => {
    const servlet = { ...plain, dropParameters: true };
    expect(parseTarget(target, servlet)).toMatchObject({ path, matchPath: path, origin: target });
  });

  test.each([
    "/;/hello",
    "/a/;x/b",
    "/a/.;/b",
    "/a/..;x/b",
    "/a/%2e;/b",
    "/a/%252e;/b",
    "/a/%252E%252e;/b",
    "/a/.%252e;/b",
  ])("like a servlet container's, %s is refused", (target) => {
    expect(parseTarget(target, { ...plain, dropParameters: true })).toBeUndefined();
    expect(parseTarget(target, plain)).toBeDefined();
  });
});
