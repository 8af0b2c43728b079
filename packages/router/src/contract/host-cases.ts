import type { RouterKind } from "../router.ts";
import type { RoutingCase } from "./sketch.ts";

const HOST_FIRST: readonly RouterKind[] = ["radixtree_host_uri"];
const PATH_FIRST: readonly RouterKind[] = ["radixtree_uri", "radixtree_uri_with_parameter"];

/** Which hosts a pattern takes, in every kind. Source: APISIX routing, "Order by host". */
export const HOST_CASES: readonly RoutingCase[] = [
  {
    title: "a route with an exact host takes that host only",
    routes: [{ id: "1", uri: "/*", hosts: ["foo.com"] }],
    requests: [
      [{ host: "foo.com" }, { id: "1", host: "foo.com" }],
      [{ host: "a.foo.com" }, undefined],
      [{ host: "xfoo.com" }, undefined],
      [{ host: "foo.co" }, undefined],
      [{ host: "_" }, undefined],
    ],
  },
  {
    title: "star dot takes names of any depth below, not the name itself",
    routes: [{ id: "1", uri: "/*", hosts: ["*.foo.com"] }],
    requests: [
      [{ host: "a.foo.com" }, { id: "1", host: "*.foo.com", remainder: "" }],
      [{ host: "a.b.foo.com" }, "1"],
      [{ host: "foo.com" }, undefined],
      [{ host: "xfoo.com" }, undefined],
    ],
  },
  {
    title: "star without dot takes every name with that end",
    routes: [{ id: "1", uri: "/*", hosts: ["*foo.com"] }],
    requests: [
      [{ host: "foo.com" }, { id: "1", host: "*foo.com" }],
      [{ host: "xfoo.com" }, "1"],
      [{ host: "a.foo.com" }, "1"],
      [{ host: "foo.org" }, undefined],
    ],
  },
  {
    title: "a lone star takes every host and leaves the captured rest alone",
    routes: [{ id: "1", uri: "/x/*", hosts: ["*"] }],
    requests: [
      [
        { path: "/x/y", host: "any.org" },
        { id: "1", host: "*", remainder: "y" },
      ],
      [{ path: "/x/y", host: "_" }, "1"],
    ],
  },
  {
    title: "a route without hosts reports an empty host pattern",
    routes: [{ id: "1", uri: "/*" }],
    requests: [[{ host: "foo.com" }, { id: "1", host: "" }]],
  },
  {
    title: "each host of a route leads to it",
    routes: [{ id: "1", uri: ["/a", "/b"], hosts: ["a.com", "*.b.com"] }],
    requests: [
      [
        { path: "/a", host: "a.com" },
        { id: "1", host: "a.com" },
      ],
      [
        { path: "/b", host: "x.b.com" },
        { id: "1", host: "*.b.com" },
      ],
      [{ path: "/b", host: "b.com" }, undefined],
    ],
  },
];

/** The default router: host first. */
export const HOST_FIRST_CASES: readonly RoutingCase[] = [
  {
    title: "hosts are tried from exact over the longest wildcard to star and none",
    kinds: HOST_FIRST,
    routes: [
      { id: "exact", uri: "/*", hosts: ["a.foo.com"] },
      { id: "deep", uri: "/*", hosts: ["*.a.foo.com"] },
      { id: "dot", uri: "/*", hosts: ["*.foo.com"] },
      { id: "end", uri: "/*", hosts: ["*foo.com"] },
      { id: "com", uri: "/*", hosts: ["*.com"] },
      { id: "any", uri: "/*", hosts: ["*"], methods: ["GET"] },
      { id: "none", uri: "/*" },
    ],
    requests: [
      [{ host: "a.foo.com" }, "exact"],
      [{ host: "b.a.foo.com" }, "deep"],
      [{ host: "b.foo.com" }, "dot"],
      [{ host: "foo.com" }, "end"],
      [{ host: "bar.com" }, "com"],
      [{ host: "bar.org" }, "any"],
      [{ host: "bar.org", method: "POST" }, "none"],
    ],
  },
  {
    title: "a route of a more specific host wins over an exact path of a less specific one",
    kinds: HOST_FIRST,
    routes: [
      { id: "host", uri: "/*", hosts: ["foo.com"] },
      { id: "path", uri: "/a", priority: 10 },
    ],
    requests: [
      [{ path: "/a", host: "foo.com" }, "host"],
      [{ path: "/a", host: "bar.com" }, "path"],
    ],
  },
  {
    title: "the search goes on to the next host when no route of a host matches",
    kinds: HOST_FIRST,
    routes: [
      { id: "exact", uri: "/a", hosts: ["x.foo.com"] },
      { id: "wild", uri: "/b", hosts: ["*.foo.com"] },
      { id: "star", uri: "/c", hosts: ["*"] },
      { id: "none", uri: "/d" },
    ],
    requests: [
      [{ path: "/a", host: "x.foo.com" }, "exact"],
      [{ path: "/b", host: "x.foo.com" }, "wild"],
      [{ path: "/c", host: "x.foo.com" }, "star"],
      [{ path: "/d", host: "x.foo.com" }, "none"],
      [{ path: "/e", host: "x.foo.com" }, undefined],
    ],
  },
  {
    title: "a host pattern with a port never matches",
    kinds: HOST_FIRST,
    routes: [{ id: "1", uri: "/*", hosts: ["foo.com:8080"] }],
    requests: [[{ host: "foo.com", variables: { http_host: "foo.com:8080" } }, undefined]],
  },
];

/** The URI routers: host is a filter. Source: APISIX routing, "Hosts in the URI routers". */
export const PATH_FIRST_CASES: readonly RoutingCase[] = [
  {
    title: "a more specific path wins over a more specific host",
    kinds: PATH_FIRST,
    routes: [
      { id: "host", uri: "/*", hosts: ["foo.com"] },
      { id: "path", uri: "/a" },
    ],
    requests: [
      [{ path: "/a", host: "foo.com" }, "path"],
      [{ path: "/b", host: "foo.com" }, "host"],
    ],
  },
  {
    title: "with equal path and priority the smaller id wins even without host",
    kinds: PATH_FIRST,
    routes: [
      { id: "1", uri: "/a" },
      { id: "2", uri: "/a", hosts: ["foo.com"] },
    ],
    requests: [
      [
        { path: "/a", host: "foo.com" },
        { id: "1", host: "" },
      ],
    ],
  },
  {
    title: "a host pattern with a port is compared with the host field as it came",
    kinds: PATH_FIRST,
    routes: [{ id: "1", uri: "/*", hosts: ["foo.com:8080", "*.bar.com:81"] }],
    requests: [
      [
        { host: "foo.com", variables: { http_host: "Foo.com:8080" } },
        { id: "1", host: "foo.com:8080" },
      ],
      [
        { host: "a.bar.com", variables: { http_host: "a.bar.com:81" } },
        { id: "1", host: "*.bar.com:81" },
      ],
      [{ host: "foo.com", variables: { http_host: "foo.com" } }, undefined],
      [{ host: "foo.com" }, undefined],
    ],
  },
];
