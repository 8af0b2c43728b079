import type { RouterKind } from "../router.ts";
import type { RoutingCase } from "./sketch.ts";

const WITHOUT_NAMES: readonly RouterKind[] = ["radixtree_host_uri", "radixtree_uri"];
const WITH_NAMES: readonly RouterKind[] = ["radixtree_uri_with_parameter"];

/** How patterns match and capture. Source: APISIX routing, "URI patterns". */
export const PATTERN_CASES: readonly RoutingCase[] = [
  {
    title: "a pattern without star matches its path only, by the byte",
    routes: [{ id: "1", uri: "/a" }],
    requests: [
      ["/a", { id: "1", uri: "/a", remainder: undefined, params: undefined }],
      ["/a/", undefined],
      ["/A", undefined],
      ["/ab", undefined],
      ["/", undefined],
      ["", undefined],
    ],
  },
  {
    title: "bytes above 127 are compared like all others",
    routes: [
      { id: "1", uri: "/caf\u00c3\u00a9" },
      { id: "2", uri: "/\u00ff*" },
    ],
    requests: [
      ["/caf\u00c3\u00a9", "1"],
      ["/caf\u00c3\u00a8", undefined],
      ["/\u00ff\u00fe", "2"],
    ],
  },
  {
    title: "a star after a slash captures the rest and does not match the path without the slash",
    routes: [{ id: "1", uri: "/foo/*" }],
    requests: [
      ["/foo", undefined],
      ["/foo/", { id: "1", uri: "/foo/*", remainder: "", params: undefined }],
      ["/foo/a/b", { id: "1", remainder: "a/b" }],
      ["/foo/a\nb", { id: "1", remainder: "a\nb" }],
    ],
  },
  {
    title: "a star after text matches every continuation and captures nothing",
    routes: [{ id: "1", uri: "/foo*" }],
    requests: [
      ["/foo", { id: "1", remainder: undefined, params: undefined }],
      ["/foobar", { id: "1", remainder: undefined }],
      ["/foo/x", { id: "1", remainder: undefined }],
      ["/fo", undefined],
    ],
  },
  {
    title: "a lone star captures the whole path, also the empty one",
    routes: [{ id: "1", uri: "*" }],
    requests: [
      ["/a/b", { id: "1", remainder: "/a/b" }],
      ["", { id: "1", remainder: "" }],
    ],
  },
  {
    title: "slash star captures the path without its first slash, and does not match the empty path",
    routes: [{ id: "1", uri: "/*" }],
    requests: [
      ["/a/b", { id: "1", remainder: "a/b" }],
      ["/", { id: "1", remainder: "" }],
      ["", undefined],
    ],
  },
  {
    title: "a star segment inside spans slashes, and what follows must match",
    routes: [{ id: "1", uri: "/a/*/b" }],
    requests: [
      ["/a/x/b", { id: "1", remainder: "x" }],
      ["/a/x/y/b", { id: "1", remainder: "x/y" }],
      ["/a//b", { id: "1", remainder: "" }],
      ["/a/b/b", { id: "1", remainder: "b" }],
      ["/a/b", undefined],
      ["/a/x/c", undefined],
      ["/a/x/b/", undefined],
    ],
  },
  {
    title: "of several star segments the first takes as much as it can",
    routes: [{ id: "1", uri: "/a/*/b/*" }],
    requests: [
      ["/a/x/b/y", { id: "1", remainder: "x" }],
      ["/a/x/b/y/b/z", { id: "1", remainder: "x/b/y" }],
      ["/a/x/b", undefined],
    ],
  },
  {
    title: "a named star captures under its name",
    routes: [{ id: "1", uri: "/a/*name" }],
    requests: [
      ["/a/x/y", { id: "1", remainder: undefined, params: { name: "x/y" } }],
      ["/a/", { id: "1", params: { name: "" } }],
      ["/a", undefined],
    ],
  },
  {
    title: "characters that mean something in regular expressions stand for themselves",
    routes: [
      { id: "1", uri: "/a.b+c/*" },
      { id: "2", uri: "/(x|y)[z]{2}^$?/*/end" },
    ],
    requests: [
      ["/a.b+c/x", { id: "1", remainder: "x" }],
      ["/aXb+c/x", undefined],
      ["/a.bbc/x", undefined],
      ["/(x|y)[z]{2}^$?/1/end", { id: "2", remainder: "1" }],
      ["/x/1/end", undefined],
    ],
  },
  {
    title: "a star inside a segment covers any text and captures nothing",
    routes: [{ id: "1", uri: "/img-*.png" }],
    requests: [
      ["/img-1.png", { id: "1", remainder: undefined, params: undefined }],
      ["/img-.png", "1"],
      ["/img-a/b.png", "1"],
      ["/img-1.jpg", undefined],
    ],
  },
  {
    title: "each of a route's patterns leads to it and is the one reported",
    routes: [{ id: "1", uri: ["/a", "/b/*", "/a"] }],
    requests: [
      ["/a", { id: "1", uri: "/a" }],
      ["/b/1", { id: "1", uri: "/b/*", remainder: "1" }],
    ],
  },
  {
    title: "a colon is text where segments have no names",
    kinds: WITHOUT_NAMES,
    routes: [
      { id: "1", uri: "/file:list" },
      { id: "2", uri: "/u/:id" },
    ],
    requests: [
      ["/file:list", "1"],
      ["/u/:id", { id: "2", params: undefined }],
      ["/u/7", undefined],
    ],
  },
];

/** Named segments. Source: APISIX routing, `radixtree_uri_with_parameter`. */
export const PARAMETER_CASES: readonly RoutingCase[] = [
  {
    title: "a named segment takes one segment that is not empty",
    kinds: WITH_NAMES,
    routes: [{ id: "1", uri: "/u/:id" }],
    requests: [
      ["/u/7", { id: "1", uri: "/u/:id", remainder: undefined, params: { id: "7" } }],
      ["/u/", undefined],
      ["/u/7/", undefined],
      ["/u/7/8", undefined],
    ],
  },
  {
    title: "names and stars combine",
    kinds: WITH_NAMES,
    routes: [
      { id: "1", uri: "/u/:id/*" },
      { id: "2", uri: "/p/:a/to/:b" },
      { id: "3", uri: "/s/*/last/:c" },
      { id: "4", uri: "/n/:d/*rest" },
    ],
    requests: [
      ["/u/7/x/y", { id: "1", remainder: "x/y", params: { id: "7" } }],
      ["/u/7", undefined],
      ["/u//x", undefined],
      ["/p/1/to/2", { id: "2", params: { a: "1", b: "2" } }],
      ["/p/1/from/2", undefined],
      ["/s/1/last/2/last/3", { id: "3", remainder: "1/last/2", params: { c: "3" } }],
      ["/s/1/last/", undefined],
      ["/n/1/2/3", { id: "4", remainder: undefined, params: { d: "1", rest: "2/3" } }],
    ],
  },
  {
    title: "patterns that differ in nothing but their text are told apart",
    kinds: WITH_NAMES,
    routes: [
      { id: "1", uri: "/p/:a/one/:b" },
      { id: "2", uri: "/q/:a/two/:b" },
      { id: "3", uri: "/p/:a/two/*/:b/end" },
      { id: "4", uri: "/q/:a/one/*/:b/fin" },
    ],
    requests: [
      ["/p/1/one/2", { id: "1", params: { a: "1", b: "2" } }],
      ["/q/1/two/2", { id: "2", params: { a: "1", b: "2" } }],
      ["/q/1/one/2", undefined],
      ["/p/1/two/x/y/2/end", { id: "3", remainder: "x/y", params: { a: "1", b: "2" } }],
      ["/q/1/one/x/y/2/fin", { id: "4", remainder: "x/y", params: { a: "1", b: "2" } }],
      ["/q/1/one/x/y/2/end", undefined],
    ],
  },
  {
    title: "a literal path beats a named segment",
    kinds: WITH_NAMES,
    routes: [
      { id: "1", uri: "/u/:id" },
      { id: "2", uri: "/u/me" },
    ],
    requests: [
      ["/u/me", "2"],
      ["/u/you", "1"],
    ],
  },
  {
    title: "a colon inside a segment is text and does not open the paths below it",
    kinds: WITH_NAMES,
    routes: [
      { id: "1", uri: "/pre:x/y" },
      { id: "2", uri: "/v1:run/:id" },
    ],
    requests: [
      ["/pre:x/y", "1"],
      ["/preview", undefined],
      ["/pre/secret", undefined],
      ["/v1:run/9", { id: "2", params: { id: "9" } }],
    ],
  },
  {
    title: "a name that objects have anyway is a name like any other",
    kinds: WITH_NAMES,
    routes: [{ id: "1", uri: "/u/:__proto__/:constructor" }],
    requests: [
      [
        "/u/a/b",
        {
          id: "1",
          params: Object.fromEntries([
            ["__proto__", "a"],
            ["constructor", "b"],
          ]),
        },
      ],
    ],
  },
];

/** Which of several matching routes wins. Source: APISIX routing, "Order by path". */
export const PATH_ORDER_CASES: readonly RoutingCase[] = [
  {
    title: "the exact path wins, then the longest literal prefix, whatever the priorities",
    routes: [
      { id: "exact", uri: "/a/b" },
      { id: "deep", uri: "/a/*", priority: 100 },
      { id: "all", uri: "/*", priority: 1000 },
      { id: "text", uri: "/a*" },
    ],
    requests: [
      ["/a/b", "exact"],
      ["/a/b/", "deep"],
      ["/a/", "deep"],
      ["/a", "text"],
      ["/ab", "text"],
      ["/zzz", "all"],
      ["/", "all"],
    ],
  },
  {
    title: "longer prefixes win step by step",
    routes: [
      { id: "1", uri: "/aa/*" },
      { id: "2", uri: "/aa/bb/*" },
      { id: "3", uri: "/aa/bb/cc*" },
    ],
    requests: [
      ["/aa/bb", { id: "1", remainder: "bb" }],
      ["/aa/bb/", { id: "2", remainder: "" }],
      ["/aa/bb/ccd", "3"],
      ["/aa/bb/c", "2"],
    ],
  },
  {
    title: "among routes of one path the higher priority wins, then the smaller id by code unit",
    routes: [
      { id: "2", uri: "/t" },
      { id: "10", uri: "/t" },
      { id: "third", uri: "/t", priority: 1, methods: ["GET"] },
      { id: "0", uri: "/t", priority: -1 },
    ],
    requests: [
      ["/t", "third"],
      [{ path: "/t", method: "POST" }, "10"],
    ],
  },
  {
    title: "among patterns of one literal prefix the longer text wins when priorities are equal",
    routes: [
      { id: "1", uri: "/a/*" },
      { id: "2", uri: "/a/*/b" },
      { id: "3", uri: "/a/*/c", priority: -1 },
    ],
    requests: [
      ["/a/x/b", "2"],
      ["/a/x/c", "1"],
    ],
  },
  {
    title: "when all routes of a more specific place fail, the search goes on to less specific ones",
    routes: [
      { id: "1", uri: "/v", vars: [["arg_x", "==", "1"]] },
      { id: "2", uri: "/v/*" },
      { id: "3", uri: "/v*", methods: ["POST"] },
      { id: "4", uri: "/*" },
    ],
    requests: [
      ["/v", "4"],
      [{ path: "/v", variables: { arg_x: "1" } }, "1"],
      [{ path: "/v", method: "POST" }, "3"],
    ],
  },
];
