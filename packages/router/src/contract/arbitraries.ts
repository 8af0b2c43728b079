import fc from "fast-check";
import type { History } from "./history.ts";
import type { RequestSketch, RouteSketch } from "./sketch.ts";

const segment = fc.constantFrom("a", "ab", "b", "c+d", ":id", "x:y", "*", "*rest", "a*", "*b", "a*b", "");
const uri = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((segments) => `/${segments.join("/")}`)
  .chain((text) => fc.constantFrom(text, text, text, "*", "/*", "/a*"));

const host = fc.constantFrom("a.com", "b.a.com", "c.com", "*.a.com", "*a.com", "*.com", "*");

const constraints = fc.record(
  {
    methods: fc.subarray(["GET", "POST"]),
    remoteAddrs: fc.subarray(["10.0.0.0/8", "11.0.0.1/32", "fd00::/8"]),
    vars: fc.constantFrom([["arg_x", "==", "1"]], [["arg_x", "!", "==", "1"]]),
  },
  { requiredKeys: [] },
);

/** A route without id, out of few words, so that routes collide. */
export const arbitraryRoute: fc.Arbitrary<Omit<RouteSketch, "id">> = fc
  .record({
    uri: fc.array(uri, { minLength: 1, maxLength: 2 }),
    hosts: fc.oneof(fc.constant([]), fc.array(host, { minLength: 1, maxLength: 2 })),
    priority: fc.integer({ min: -1, max: 1 }),
    constraints: fc.oneof(fc.constant({}), constraints),
  })
  .map(({ constraints: more, ...rest }) => ({ ...rest, ...more }));

/** Several routes, numbered. */
export const arbitraryRoutes: fc.Arbitrary<readonly RouteSketch[]> = fc
  .array(arbitraryRoute, { maxLength: 12 })
  .map((routes) => routes.map((route, index) => ({ ...route, id: String(index) })));

const crowdedUri = fc.constantFrom(
  ...["/*", "/:t/a", "/:t/a/:id", "/:t/b/", "/:t/a/b*", "/:t/:u/b", "/:t/b/*", "/:t/*", "/a", "/*a"],
);

const crowdedVars = fc.constantFrom(
  undefined,
  undefined,
  [["arg_x", "==", "1"]],
  [["arg_x", "2"]],
  [["arg_x", "!", "==", "1"]],
  ["AND", ["arg_y", ">", 1], ["arg_x", "==", "1"]],
  ["OR", ["arg_y", "==", "1"], ["arg_x", "==", "1"]],
  [
    ["arg_y", "==", "1"],
    ["arg_x", "==", "2"],
  ],
);

/** A route of few places, where there are more candidates than are tried one after the other. */
const crowdedRoute: fc.Arbitrary<Omit<RouteSketch, "id">> = fc.record({
  uri: crowdedUri,
  hosts: fc.oneof(fc.constant([]), fc.array(fc.oneof(host, fc.constant("a.com:80")), { minLength: 1, maxLength: 2 })),
  priority: fc.integer({ min: 0, max: 3 }),
  vars: crowdedVars,
  methods: fc.constantFrom([], ["GET"], ["POST"]),
});

/** So many routes that one place has hundreds of them. */
export const arbitraryCrowd: fc.Arbitrary<readonly RouteSketch[]> = fc
  .array(crowdedRoute, { minLength: 40, maxLength: 400, size: "max" })
  .map((routes) => routes.map((route, index) => ({ ...route, id: String(index) })));

const pathSegment = fc.constantFrom("a", "ab", "b", "c+d", "x:y", "aab", "z", "");

/** A request out of the same words. */
export const arbitraryRequest: fc.Arbitrary<RequestSketch> = fc.record({
  path: fc.oneof(
    {
      weight: 9,
      arbitrary: fc.array(pathSegment, { minLength: 1, maxLength: 5 }).map((parts) => `/${parts.join("/")}`),
    },
    { weight: 1, arbitrary: fc.constant("") },
  ),
  host: fc.constantFrom("a.com", "b.a.com", "c.com", "xa.com", "x.b.a.com", "org", "_"),
  method: fc.constantFrom("GET", "POST", "PURGE"),
  remoteAddress: fc.constantFrom("10.1.1.1", "11.0.0.1", "::ffff:10.0.0.1", "fd00::1", "9.9.9.9"),
  variables: fc.constantFrom({}, { arg_x: "1" }, { arg_x: "2" }, { arg_x: 1, arg_y: "1" }, { arg_x: "2", arg_y: "1" }),
});

/** Changes of few routes. */
export const arbitraryHistory: fc.Arbitrary<History> = fc.array(
  fc.array(fc.tuple(fc.constantFrom("1", "2", "3", "4", "5", "6"), fc.option(arbitraryRoute, { nil: undefined })), {
    minLength: 1,
    maxLength: 4,
  }),
  { minLength: 1, maxLength: 8 },
);
