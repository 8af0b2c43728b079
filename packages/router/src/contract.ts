import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryCrowd, arbitraryHistory, arbitraryRequest, arbitraryRoutes } from "./contract/arbitraries.ts";
import { CONSTRAINT_CASES } from "./contract/constraint-cases.ts";
import { replay, replayInDraft, type Step } from "./contract/history.ts";
import { HOST_CASES, HOST_FIRST_CASES, PATH_FIRST_CASES } from "./contract/host-cases.ts";
import { matchNaively } from "./contract/naive-router.ts";
import { PARAMETER_CASES, PATH_ORDER_CASES, PATTERN_CASES } from "./contract/path-cases.ts";
import { type ExpectedMatch, inputOf, type RequestSketch, type RoutingCase, routeOf } from "./contract/sketch.ts";
import type { Match, Router, RouterKind, RouteSpec } from "./router.ts";

/** What the contract needs to know of an implementation. */
export interface RouterContract {
  readonly name: string;
  /** Makes an empty router. */
  create(kind: RouterKind): Router<string>;
}

const KINDS: readonly RouterKind[] = ["radixtree_host_uri", "radixtree_uri", "radixtree_uri_with_parameter"];

const CASES: readonly (readonly [string, readonly RoutingCase[]])[] = [
  ["patterns", PATTERN_CASES],
  ["named segments", PARAMETER_CASES],
  ["order of paths", PATH_ORDER_CASES],
  ["hosts", HOST_CASES],
  ["hosts first", HOST_FIRST_CASES],
  ["paths first", PATH_FIRST_CASES],
  ["constraints", CONSTRAINT_CASES],
];

/** Seeded, so that a run says the same as the one before it. */
const PROPERTY = { seed: 20_260_101, numRuns: 400 };

/** Declares the suite every {@link Router} has to pass, on every kind. Run it inside a vitest file. */
export function describeRouter(contract: RouterContract): void {
  describe(contract.name, () => {
    for (const kind of KINDS) {
      describe(kind, () => {
        for (const [title, cases] of CASES)
          describeCases(title, cases.filter(appliesTo(kind)), () => contract.create(kind));
        describeProperties(kind, () => contract.create(kind));
        describeChanges(() => contract.create(kind));
      });
    }
  });
}

function appliesTo(kind: RouterKind): (routing: RoutingCase) => boolean {
  return ({ kinds }) => kinds === undefined || kinds.includes(kind);
}

function describeCases(title: string, cases: readonly RoutingCase[], create: () => Router<string>): void {
  if (cases.length === 0) return;
  describe(title, () => {
    it.each(cases)("$title", ({ routes, requests }) => {
      const router = build(create(), routes.map(routeOf));
      for (const [request, expected] of requests) {
        expectMatch(router.match(inputOf(request)), expected, JSON.stringify(request));
      }
    });
  });
}

function expectMatch(
  match: Match<string> | undefined,
  expected: ExpectedMatch | string | undefined,
  request: string,
): void {
  if (expected === undefined) expect(match?.value, request).toBeUndefined();
  else if (typeof expected === "string") expect(match?.value, request).toBe(expected);
  else {
    const { id, ...fields } = expected;
    expect(plain(match), request).toMatchObject({ value: id, ...fields });
  }
}

/** Objects without prototype do not equal literals. */
function plain(match: Match<string> | undefined): unknown {
  if (match?.params === undefined) return match;
  return { ...match, params: Object.fromEntries(Object.entries(match.params)) };
}

function describeProperties(kind: RouterKind, create: () => Router<string>): void {
  it("answers after any history in one draft as one built at once, and the routers on the way keep their answers", () => {
    fc.assert(
      fc.property(arbitraryHistory, fc.array(arbitraryRequest, { minLength: 1, maxLength: 8 }), (history, requests) => {
        expectFresh(create, replayInDraft(create(), history), requests);
      }),
      PROPERTY,
    );
  });

  it("answers as the naive reading of the rules does", () => {
    fc.assert(
      fc.property(arbitraryRoutes, fc.array(arbitraryRequest, { minLength: 1, maxLength: 8 }), (sketches, requests) => {
        const routes = sketches.map(routeOf);
        expectNaive(kind, { router: build(create(), routes), routes, requests });
      }),
      PROPERTY,
    );
  });

  it("answers as the naive reading does where many routes share a place, while they come and go", () => {
    fc.assert(
      fc.property(arbitraryCrowd, fc.array(arbitraryRequest, { minLength: 8, maxLength: 8 }), (sketches, requests) => {
        const routes = sketches.map(routeOf);
        const half = routes.filter((_, index) => index % 2 === 0);
        let router = build(create(), routes);
        expectNaive(kind, { router, routes, requests });
        for (const route of routes) if (!half.includes(route)) router = router.with([{ previous: route }]);
        expectNaive(kind, { router, routes: half, requests });
        const emptied = router.with(half.map((previous) => ({ previous })));
        expectNaive(kind, { router: emptied, routes: [], requests });
        // Of a router that holds nothing nothing is left: it grows again as a new one.
        expectNaive(kind, { router: build(emptied, routes), routes, requests });
      }),
      { ...PROPERTY, numRuns: 60 },
    );
  });

  it("answers after any history as one built at once, and old routers keep their answers", () => {
    fc.assert(
      fc.property(arbitraryHistory, fc.array(arbitraryRequest, { minLength: 1, maxLength: 8 }), (history, requests) => {
        expectFresh(create, replay(create(), history), requests);
      }),
      PROPERTY,
    );
  });
}

interface Comparison {
  readonly router: Router<string>;
  readonly routes: readonly RouteSpec<string>[];
  readonly requests: readonly RequestSketch[];
}

function expectNaive(kind: RouterKind, { requests, router, routes }: Comparison): void {
  for (const request of requests) {
    const input = inputOf(request);
    const match = router.match(input);
    const found = match === undefined ? undefined : { value: match.value, uri: match.uri };
    expect(found, JSON.stringify(request)).toEqual(matchNaively(kind, routes, input));
  }
}

function expectFresh(create: () => Router<string>, steps: readonly Step[], requests: readonly RequestSketch[]): void {
  const inputs = requests.map(inputOf);
  for (const { router, routes } of steps) {
    const fresh = build(create(), routes);
    expect(router.size).toBe(routes.length);
    for (const input of inputs) expect(router.match(input)).toEqual(fresh.match(input));
  }
}

function describeChanges(create: () => Router<string>): void {
  it("keeps what a draft gave as it was, however the draft and the router it began with go on", () => {
    const routeAt = (id: string, uri: string) => routeOf({ id, uri: [uri], hosts: ["a.com"] });
    const routes = Array.from({ length: 50 }, (_, index) => routeAt(`r${index}`, `/a/${index}`));
    const begun = build(create(), routes.slice(0, 10));
    const draft = begun.draft();
    draft.apply(routes.slice(10, 30).map((next) => ({ next })));
    draft.apply(routes.slice(0, 5).map((previous) => ({ previous })));
    const half = draft.done();
    const other = begun.with([{ next: routeAt("other", "/a/other") }]);
    draft.apply(routes.slice(30).map((next) => ({ next })));
    draft.apply(routes.slice(5, 10).map((previous) => ({ previous })));
    const whole = draft.done();
    const idsOf = (router: Router<string>) =>
      [...routes.keys(), "other"]
        .map((name) => router.match(inputOf({ path: `/a/${name}`, host: "a.com" }))?.value)
        .filter((id) => id !== undefined);
    const idsOfRoutes = (from: number, to: number) => routes.slice(from, to).map(({ id }) => id);
    expect(idsOf(begun)).toEqual(idsOfRoutes(0, 10));
    expect(idsOf(half)).toEqual(idsOfRoutes(5, 30));
    expect(idsOf(other)).toEqual([...idsOfRoutes(0, 10), "other"]);
    expect(idsOf(whole)).toEqual(idsOfRoutes(10, 50));
    expect([begun, half, other, whole].map(({ size }) => size)).toEqual([10, 25, 11, 40]);
  });

  it("matches nothing when empty, and again once everything is removed", () => {
    const route = routeOf({ id: "1", uri: ["/a", "/b/*"], hosts: ["a.com"] });
    const empty = create();
    const filled = empty.with([{ next: route }]);
    const emptied = filled.with([{ previous: route }]);
    const input = inputOf({ path: "/a", host: "a.com" });
    expect([empty, filled, emptied].map((router) => router.match(input)?.value)).toEqual([undefined, "1", undefined]);
    expect([empty, filled, emptied].map((router) => router.size)).toEqual([0, 1, 0]);
  });

  it("replaces a route whose patterns, hosts and rank change", () => {
    const before = routeOf({ id: "1", uri: ["/a", "/b"], hosts: ["a.com"] });
    const after = { ...routeOf({ id: "1", uri: ["/b", "/c"], hosts: ["b.com"], priority: 5 }), value: "new" };
    const router = create()
      .with([{ next: before }])
      .with([{ previous: before, next: after }]);
    expect(router.match(inputOf({ path: "/b", host: "a.com" }))).toBeUndefined();
    expect(router.match(inputOf({ path: "/a", host: "b.com" }))).toBeUndefined();
    expect(router.match(inputOf({ path: "/b", host: "b.com" }))?.value).toBe("new");
  });

  it.each([1, 2, 100])("changes no answer when a route that is not there is removed beside %d others", (count) => {
    const others = Array.from({ length: count }, (_, index) =>
      routeOf({ id: `r${index}`, uri: "/a", methods: [`M${index}`] }),
    );
    const absent = [
      routeOf({ id: "q", uri: "/a" }),
      routeOf({ id: "r00", uri: "/a" }),
      routeOf({ id: "r0", uri: "/b" }),
    ];
    const router = build(create(), others).with(absent.map((previous) => ({ previous })));
    for (const { value } of others) {
      expect(router.match(inputOf({ path: "/a", method: value.replace("r", "M") }))?.value).toBe(value);
    }
  });

  it("tells a thousand routes of one path apart, through changes too", () => {
    const routes = Array.from({ length: 1000 }, (_, index) =>
      routeOf({ id: `r${index}`, uri: "/same", priority: (index * 37) % 5, vars: [["arg_n", ">=", index]] }),
    );
    const full = build(create(), routes);
    const best = (router: Router<string>, n: number) =>
      router.match(inputOf({ path: "/same", variables: { arg_n: n } }))?.value;
    // Priority 4 first; of those up to n the smallest id by code unit.
    const expected = (n: number, rest: readonly RouteSpec<string>[]) =>
      rest
        .filter((route) => Number(route.value.slice(1)) <= n)
        .toSorted((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1))[0]?.value;
    let router = full;
    let rest: readonly RouteSpec<string>[] = routes;
    for (const n of [999, 500, 3, 0]) {
      expect(best(full, n)).toBe(expected(n, routes));
      const gone = rest.filter((route) => route.value === expected(n, rest));
      rest = rest.filter((route) => !gone.includes(route));
      router = router.with(gone.map((previous) => ({ previous })));
      expect(best(router, n)).toBe(expected(n, rest));
    }
    expect(router.size).toBe(996);
  });

  it("follows a chain of four thousand nested prefixes to its end and back", () => {
    const uris = Array.from({ length: 4000 }, (_, index) => `${"/".padEnd(index + 1, "a")}*`);
    const routes = uris.map((uri, index) => routeOf({ id: String(index), uri, methods: index === 0 ? [] : ["POST"] }));
    const router = build(create(), routes);
    const path = "/".padEnd(4001, "a");
    expect(router.match(inputOf({ path, method: "POST" }))?.value).toBe("3999");
    expect(router.match(inputOf({ path, method: "GET" }))?.value).toBe("0");
    expect(router.with(routes.map((previous) => ({ previous }))).size).toBe(0);
  });

  it("refuses a route with an address it cannot read, naming the route, and stays as it was", () => {
    const router = create();
    const bad = routeOf({ id: "bad", uri: "/a", remoteAddrs: ["10.0.0.0/33"] });
    const good = routeOf({ id: "good", uri: "/a" });
    expect(() => router.with([{ next: good }, { next: bad }])).toThrow(
      expect.objectContaining({ code: "ROUTER_PATTERN_INVALID", details: { routeId: "bad" } }),
    );
    expect(router.match(inputOf("/a"))).toBeUndefined();
  });
}

function build(empty: Router<string>, routes: readonly RouteSpec<string>[]): Router<string> {
  return empty.with(routes.map((next) => ({ next })));
}
