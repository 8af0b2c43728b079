import type { RoutingCase } from "./sketch.ts";

/** What a route asks for beside path and host. Source: APISIX routing, "Route fields that select". */
export const CONSTRAINT_CASES: readonly RoutingCase[] = [
  {
    title: "listed methods are the only ones taken, and HEAD is not implied by GET",
    routes: [{ id: "1", uri: "/a", methods: ["GET", "POST"] }],
    requests: [
      [{ path: "/a", method: "GET" }, "1"],
      [{ path: "/a", method: "POST" }, "1"],
      [{ path: "/a", method: "HEAD" }, undefined],
      [{ path: "/a", method: "BREW" }, undefined],
    ],
  },
  {
    title: "a route without methods takes verbs nobody knows",
    routes: [{ id: "1", uri: "/a", methods: [] }],
    requests: [[{ path: "/a", method: "BREW" }, "1"]],
  },
  {
    title: "client addresses are compared with addresses and ranges of both families",
    routes: [{ id: "1", uri: "/a", remoteAddrs: ["10.1.0.0/16", "192.168.0.7", "fd00::/8", "::1"] }],
    requests: [
      [{ path: "/a", remoteAddress: "10.1.2.3" }, "1"],
      [{ path: "/a", remoteAddress: "10.2.2.3" }, undefined],
      [{ path: "/a", remoteAddress: "192.168.0.7" }, "1"],
      [{ path: "/a", remoteAddress: "192.168.0.8" }, undefined],
      [{ path: "/a", remoteAddress: "fd12:3456::1" }, "1"],
      [{ path: "/a", remoteAddress: "0:0:0:0:0:0:0:1" }, "1"],
      [{ path: "/a", remoteAddress: "fe80::1" }, undefined],
      [{ path: "/a", remoteAddress: "unix:" }, undefined],
    ],
  },
  {
    title: "an IPv4 address written as IPv6 is the IPv4 address, in requests and in routes",
    routes: [
      { id: "1", uri: "/a", remoteAddrs: ["10.0.0.0/8"] },
      { id: "2", uri: "/a", remoteAddrs: ["::ffff:11.0.0.0/104"] },
      { id: "3", uri: "/a", remoteAddrs: ["::ffff:12.0.0.1"] },
    ],
    requests: [
      [{ path: "/a", remoteAddress: "::ffff:10.0.0.9" }, "1"],
      [{ path: "/a", remoteAddress: "11.2.3.4" }, "2"],
      [{ path: "/a", remoteAddress: "12.0.0.1" }, "3"],
      [{ path: "/a", remoteAddress: "12.0.0.2" }, undefined],
    ],
  },
  {
    title: "a range of no bits takes every address of its family only",
    routes: [{ id: "1", uri: "/a", remoteAddrs: ["0.0.0.0/0"] }],
    requests: [
      [{ path: "/a", remoteAddress: "8.8.8.8" }, "1"],
      [{ path: "/a", remoteAddress: "2001:db8::1" }, undefined],
    ],
  },
  {
    title: "vars decide between routes that are equal otherwise",
    routes: [
      { id: "canary", uri: "/a", priority: 1, vars: [["http_x_canary", "==", "1"]] },
      { id: "stable", uri: "/a" },
    ],
    requests: [
      [{ path: "/a", variables: { http_x_canary: "1" } }, "canary"],
      [{ path: "/a", variables: { http_x_canary: "2" } }, "stable"],
      ["/a", "stable"],
    ],
  },
];
