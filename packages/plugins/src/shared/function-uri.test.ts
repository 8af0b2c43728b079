import { describe, expect, it } from "vitest";
import { hostHeaderOf, parseFunctionUri, portOf } from "./function-uri.ts";

describe("parseFunctionUri", () => {
  it.each([
    ["http://h", { scheme: "http", host: "h", port: 80 }],
    ["https://h", { scheme: "https", host: "h", port: 443 }],
    ["http://LOCALHOST:3233/x", { scheme: "http", host: "localhost", port: 3233 }],
    ["http://127.0.0.1:1/", { scheme: "http", host: "127.0.0.1", port: 1 }],
    ["http://[::1]:3233/x", { scheme: "http", host: "::1", port: 3233 }],
    ["http://[2001:DB8::1]", { scheme: "http", host: "2001:db8::1", port: 80 }],
    ["http://under_score:8080/x", { scheme: "http", host: "under_score", port: 8080 }],
    ["http://h?key=1", { scheme: "http", host: "h", port: 80 }],
    ["http://h:1#fragment", { scheme: "http", host: "h", port: 1 }],
  ] as const)("takes %s apart", (uri, { scheme, host, port }) => {
    const address = parseFunctionUri(uri);
    expect(address).toMatchObject({ scheme, host });
    expect(address === undefined ? undefined : portOf(address, scheme)).toBe(port);
  });

  it("lets an address without scheme inherit that of the request", () => {
    const address = parseFunctionUri("//h/x");
    expect(address).toMatchObject({ scheme: "inherit", host: "h", basePath: "/x" });
    expect(address && [portOf(address, "http"), portOf(address, "https")]).toEqual([80, 443]);
  });

  it.each([
    "",
    "host/path",
    "ftp://h/",
    "HTTP://h/",
    "http:/h/",
    "http://",
    "http:///x",
    "http://h:port/",
    "http://h:0/",
    "http://h:65536/",
    "http://user:password@h/",
    "http://user@h/",
    "http://a b/",
    "http://hö/",
    "http://[zz]/",
    "$secret://vault/1/function/uri",
  ])("finds no address in %j", (uri) => {
    expect(parseFunctionUri(uri)).toBeUndefined();
  });

  it.each([
    ["http://h", ""],
    ["http://h/", "/"],
    ["http://h/default/fn/", "/default/fn/"],
    ["http://h/p?key=1#f", "/p"],
    ["http://h/p#f?x", "/p"],
    ["http://h//a///b//", "//a///b//"],
    ["http://h/a+b", "/a%2Bb"],
    ["http://h/a b", "/a%20b"],
    ["http://h/a|b", "/a%7Cb"],
    ["http://h/[x]", "/%5Bx%5D"],
    ["http://h/你", "/%E4%BD%A0"],
    ["http://h/%e4%bd%a0", "/%E4%BD%A0"],
    ["http://h/a%2Fb", "/a%2Fb"],
    ["http://h/a%2fb", "/a%2Fb"],
    ["http://h/%7e%41", "/~A"],
    ["http://h/100%", "/100%25"],
    ["http://h/%zz", "/%25zz"],
    ["http://h/:-_.!~*'()@&=$,;", "/:-_.!~*'()@&=$,;"],
    ["http://h/./a/../b", "/./a/../b"],
  ])("reads the path of %s as %j", (uri, basePath) => {
    expect(parseFunctionUri(uri)?.basePath).toBe(basePath);
  });
});

describe("hostHeaderOf", () => {
  it.each([
    ["http://LOCALHOST:3233/", "localhost"],
    ["http://fn.example.com:8080/", "fn.example.com"],
    ["http://127.0.0.1:3233/", "127.0.0.1"],
    ["http://[::1]:3233/", "[::1]"],
    ["http://a_b:3233/", "a_b:3233"],
    ["http://a_b:80/", "a_b"],
    ["http://a_b/", "a_b"],
    ["https://a_b:443/", "a_b"],
    ["https://a_b:80/", "a_b:80"],
    ["http://h.example.:8080/", "h.example.:8080"],
    ["http://h..example:8080/", "h..example:8080"],
  ])("of %s is %s", (uri, expected) => {
    const address = parseFunctionUri(uri);
    if (address === undefined || address.scheme === "inherit") throw new Error(`${uri} has no scheme`);
    expect(hostHeaderOf(address, address.scheme)).toBe(expected);
  });
});
