import { type Endpoint, silentLogger, systemClock, type Target } from "@fngate/kernel";
import { definePlugin } from "@fngate/plugin-kit";
import { fakeDeps } from "@fngate/plugin-kit/testing";
import { compileUpstream } from "@fngate/proxy";
import { createKeyring } from "@fngate/schema";
import { parseRevision } from "@fngate/store";
import { type Certificates, createCertificates } from "@fngate/test-kit";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { MirrorChange } from "../mirror/mirror.ts";
import { catalogWith } from "../testing/running-plane.ts";
import type { CompileDeps } from "./compile-deps.ts";
import { type Compilation, compileSnapshot } from "./compile-snapshot.ts";
import { createEmptySnapshot, type Snapshot } from "./snapshot.ts";
import { AS_STORED } from "./upstream-handle.ts";

let certificates: Certificates;

beforeAll(async () => {
  certificates = await createCertificates();
});

/** Compiles with counters instead of connections: what is set up and what is given back. */
class Bench {
  setups = 0;
  disposals = 0;
  acquired = 0;
  released = 0;
  snapshot: Snapshot = createEmptySnapshot("radixtree_host_uri");
  #revision = 0;
  #fewest = 0;
  readonly deps: CompileDeps;

  constructor() {
    const connections = {
      acquire: (target: Target): Endpoint => {
        this.acquired += 1;
        return { target, release: () => this.#count("released") };
      },
    };
    const counted = definePlugin({
      name: "counted",
      version: 0.1,
      priority: 1,
      schema: z.looseObject({ tag: z.string().optional(), fails: z.boolean().optional() }),
      setup: ({ fails, tag }) => {
        if (fails === true) throw new Error("cannot be set up");
        this.setups += 1;
        return {
          access: () => ({ kind: "reply", status: 200, body: tag ?? "" }),
          dispose: () => this.#count("disposals"),
        };
      },
    });
    this.deps = {
      clock: systemClock,
      prefix: "/apisix",
      routerKind: "radixtree_host_uri",
      catalog: catalogWith(counted),
      portsOf: () => fakeDeps({ logger: silentLogger, connections }),
      keyring: createKeyring([]),
      environment: {},
      compileUpstream: (config) => compileUpstream(config, connections, { random: () => 0 }),
    };
  }

  #count(what: "released" | "disposals"): void {
    this[what] += 1;
    if (what === "released") this.#fewest = Math.min(this.#fewest, this.acquired - this.released);
  }

  /** Connections in use, and the fewest since a request last needed some. */
  get counts() {
    const { acquired, disposals, released, setups } = this;
    return { inUse: acquired - released, fewest: this.#fewest, setups, disposals };
  }

  /** Has a route's own upstream compiled, as its first request does. */
  use(path: string): void {
    const upstream = this.match(path)?.value.upstream;
    if (typeof upstream !== "object") throw new Error(`${path} has no upstream`);
    upstream.in(AS_STORED);
    this.#fewest = this.acquired - this.released;
  }

  /** Applies writes (`undefined` deletes) as one publication. */
  apply(writes: Readonly<Record<string, unknown>>): Compilation {
    this.#revision += 1;
    const at = parseRevision(this.#revision);
    const changes = Object.entries(writes).map(([path, value]): MirrorChange => {
      const key = `/apisix/${path}`;
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return {
        key,
        entry: value === undefined ? undefined : { key, value: text, createRevision: at, modRevision: at },
      };
    });
    const compilation = compileSnapshot(this.snapshot, { changes, revision: at }, this.deps);
    this.snapshot = compilation.snapshot;
    for (const held of compilation.retired) held.retire();
    return compilation;
  }

  match(path: string, host = "any.example") {
    const variables = { get: () => undefined };
    return this.snapshot.router.match({ method: "GET", path, host, remoteAddress: "127.0.0.1", variables });
  }
}

const upstream = { nodes: { "127.0.0.1:1": 1 } };

describe("a publication", () => {
  test("shares everything that did not change", () => {
    const bench = new Bench();
    bench.apply({ "routes/1": { uri: "/a", upstream }, "routes/2": { uri: "/b", plugins: { counted: {} } } });
    const before = bench.snapshot;
    bench.apply({ "routes/1": { uri: "/c", upstream } });
    expect(bench.snapshot.tables.route.get("2")).toBe(before.tables.route.get("2"));
    expect(bench.snapshot.tables.service).toBe(before.tables.service);
    expect(bench.setups).toBe(1);
    expect(
      before.router.match({
        method: "GET",
        path: "/a",
        host: "h",
        remoteAddress: "::1",
        variables: { get: () => undefined },
      })?.value.id,
    ).toBe("1");
    expect(bench.match("/a")).toBeUndefined();
    expect(bench.match("/c")?.value.id).toBe("1");
  });

  test("of a service or upstream compiles none of the routes that use it", () => {
    const bench = new Bench();
    const routes = Object.fromEntries(
      Array.from({ length: 50 }, (_, n) => [`routes/${n}`, { uri: `/${n}`, service_id: "s", upstream_id: "u" }]),
    );
    bench.apply({ ...routes, "services/s": { plugins: { counted: { tag: "one" } } }, "upstreams/u": upstream });
    const before = bench.snapshot;
    bench.apply({
      "services/s": { plugins: { counted: { tag: "two" } } },
      "upstreams/u": { nodes: { "127.0.0.1:2": 1 } },
    });
    expect(bench.snapshot.tables.route).toBe(before.tables.route);
    expect(bench.snapshot.router).toBe(before.router);
    expect(bench.setups).toBe(2);
  });

  test("acquires before it releases and gives everything back in the end", () => {
    const bench = new Bench();
    bench.apply({ "routes/1": { uri: "/a", upstream, plugins: { counted: {} } }, "upstreams/u": upstream });
    bench.use("/a");
    expect(bench.counts).toMatchObject({ inUse: 1, setups: 1, disposals: 0 });
    bench.apply({ "routes/1": { uri: "/b", upstream, plugins: { counted: {} } } });
    expect(bench.counts).toMatchObject({ inUse: 1, fewest: 1, setups: 2, disposals: 1 });
    bench.apply({ "routes/1": undefined, "upstreams/u": undefined });
    expect(bench.counts).toMatchObject({ inUse: 0, setups: 2, disposals: 2 });
  });

  test("takes connections for no upstream that no request has needed, but checks that it can be called", () => {
    const bench = new Bench();
    bench.apply({ "routes/1": { uri: "/a", upstream }, "upstreams/u": { ...upstream, type: "none" } });
    bench.apply({ "routes/1": { uri: "/b", upstream } });
    expect(bench.counts).toMatchObject({ inUse: 0 });
    expect([...bench.snapshot.diagnostics.values()].flat()).toMatchObject([{ code: "INVALID_UPSTREAM", id: "u" }]);
  });

  test("gives back what a refused object had taken already", () => {
    const bench = new Bench();
    bench.apply({ "routes/1": { uri: "/a", upstream, plugins: { counted: {}, openfunction: {} } } });
    expect(bench.match("/a")).toBeUndefined();
    expect([bench.acquired, bench.setups]).toEqual([bench.released, bench.disposals]);
  });

  test("with a wildcard host for a whole service moves the routes without hosts, and only those", () => {
    const bench = new Bench();
    bench.apply({
      "services/s": { hosts: ["s.example"] },
      "routes/heir": { uri: "/heir", service_id: "s" },
      "routes/own": { uri: "/own", service_id: "s", host: "own.example" },
    });
    expect(bench.match("/heir", "s.example")?.value.id).toBe("heir");
    bench.apply({ "services/s": { hosts: ["*.t.example"] } });
    expect(bench.match("/heir", "s.example")).toBeUndefined();
    expect(bench.match("/heir", "x.t.example")?.value.id).toBe("heir");
    expect(bench.match("/own", "own.example")?.value.id).toBe("own");
    bench.apply({ "services/s": undefined });
    expect(bench.match("/heir", "anything")?.value.id).toBe("heir");
  });
});

describe("an object that cannot be used", () => {
  test.each([
    { what: "no JSON", value: "{", code: "NOT_AN_OBJECT" },
    { what: "an array", value: "[]", code: "NOT_AN_OBJECT" },
    { what: "an unknown field", value: { uri: "/a", zzz: 1, plugins: {} }, code: "INVALID_OBJECT" },
    { what: "bad vars", value: { uri: "/a", plugins: {}, vars: [["a", "??", 1]] }, code: "INVALID_OBJECT" },
    { what: "a bad address", value: { uri: "/a", plugins: {}, remote_addr: "1.2.3.4/99" }, code: "INVALID_OBJECT" },
    { what: "Lua", value: { uri: "/a", script: "local a = 1 return a" }, code: "UNSUPPORTED_FIELD" },
    { what: "a bad plugin", value: { uri: "/a", plugins: { counted: { tag: 1 } } }, code: "INVALID_PLUGIN" },
    {
      what: "a plugin that fails",
      value: { uri: "/a", plugins: { counted: { fails: true } } },
      code: "INVALID_PLUGIN",
    },
  ])("($what) keeps its last version, is told once, and leaves the others alone", ({ value, code }) => {
    const bench = new Bench();
    bench.apply({ "routes/1": { uri: "/good", plugins: {} }, "routes/2": { uri: "/other", plugins: {} } });
    const { news } = bench.apply({ "routes/1": value });
    expect(news.map((one) => one.code)).toEqual([code]);
    expect(bench.match("/good")?.value.id).toBe("1");
    expect(bench.match("/other")?.value.id).toBe("2");
    expect(bench.apply({ "routes/1": value }).news).toEqual([]);
    expect([...bench.snapshot.diagnostics.values()].flat()).toHaveLength(1);
    bench.apply({ "routes/1": undefined });
    expect(bench.match("/good")).toBeUndefined();
    expect(bench.snapshot.diagnostics.size).toBe(0);
  });

  test("with status 0 is there but never matches", () => {
    const bench = new Bench();
    bench.apply({ "routes/1": { uri: "/a", plugins: {}, status: 0 } });
    expect(bench.match("/a")).toBeUndefined();
    bench.apply({ "routes/1": { uri: "/a", plugins: {}, status: 1 } });
    expect(bench.match("/a")?.value.id).toBe("1");
    bench.apply({ "routes/1": { uri: "/a", plugins: {}, status: 0 } });
    expect(bench.match("/a")).toBeUndefined();
  });
});

/** Freezes everything reachable, so that whoever changes a published snapshot throws. */
function deepFreeze(value: unknown, seen = new Set<unknown>()): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  Object.freeze(value);
  for (const key of Reflect.ownKeys(value)) deepFreeze(Reflect.get(value, key), seen);
}

const ids = fc.constantFrom("1", "2", "3");
const hosts = fc.subarray(["a.example", "*.b.example", "c.example"]);
const route = fc.record(
  {
    uri: fc.constantFrom("/a", "/a/*", "/b", "/*"),
    priority: fc.integer({ min: 0, max: 2 }),
    hosts: hosts.filter((list) => list.length > 0),
    service_id: ids,
    upstream_id: ids,
    status: fc.constantFrom(0, 1),
    plugins: fc.constantFrom({}, { counted: { tag: "route" } }, { counted: { _meta: { disable: true } } }),
  },
  { requiredKeys: ["uri", "plugins"] },
);
const certified = ids.map((id) => ({ ...upstream, scheme: "https", tls: { client_cert_id: id } }));
const write = fc.oneof(
  fc.tuple(
    ids.map((id) => `routes/${id}`),
    fc.option(route, { nil: undefined }),
  ),
  fc.tuple(
    ids.map((id) => `services/${id}`),
    fc.option(fc.record({ hosts: hosts.filter((list) => list.length > 0) }, { requiredKeys: [] }), { nil: undefined }),
  ),
  fc.tuple(
    ids.map((id) => `upstreams/${id}`),
    fc.option(fc.oneof(fc.constant(upstream), certified), { nil: undefined }),
  ),
  fc.tuple(
    ids.map((id) => `ssls/${id}`),
    fc.option(
      fc.constantFrom("client", "server").map((type) => ({ type, sni: "a.com", ...certificates.client })),
      { nil: undefined },
    ),
  ),
  fc.tuple(
    fc.constantFrom("global_rules/1", "global_rules/2"),
    fc.option(fc.constantFrom({ id: "1", plugins: {} }, { id: "1", plugins: { counted: {} } }), { nil: undefined }),
  ),
);

/** What a snapshot would do with requests, as plain data. */
function behaviour(bench: Bench): unknown {
  const requests = ["/a", "/a/x", "/b", "/zzz"].flatMap((path) =>
    ["a.example", "x.b.example", "c.example", "d.example"].map((host) => ({ path, host })),
  );
  return {
    matches: requests.map(({ path, host }) => {
      const match = bench.match(path, host);
      if (match === undefined) return undefined;
      const { value } = match;
      const service = bench.snapshot.tables.service.get(value.serviceId ?? "");
      const plugins = value.effective.with(undefined, service).pipeline.access.map((hook) => hook.plugin);
      return { id: value.id, uri: match.uri, host: match.host, plugins, upstreamId: value.upstreamId };
    }),
    global: bench.snapshot.globalPlugins.pipeline.access.map((hook) => hook.plugin),
    tables: Object.entries(bench.snapshot.tables).map(([kind, table]) => [kind, [...table.keys()].sort()]),
    heirs: bench.snapshot.hostHeirs.map((heirs) => [...heirs].sort()).toObject(),
    size: bench.snapshot.router.size,
    diagnostics: [...bench.snapshot.diagnostics.values()]
      .flat()
      .map(({ kind, id, code }) => `${kind} ${id} ${code}`)
      .sort(),
  };
}

test("any sequence of changes gives what compiling the result from scratch gives, and never alters an older snapshot", () => {
  fc.assert(
    fc.property(fc.array(fc.array(write, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), (publications) => {
      const stepwise = new Bench();
      const final = new Map<string, unknown>();
      for (const publication of publications) {
        const writes = Object.fromEntries(publication);
        deepFreeze(stepwise.snapshot);
        stepwise.apply(writes);
        for (const [path, value] of Object.entries(writes)) final.set(path, value);
      }
      const fresh = new Bench();
      fresh.apply(Object.fromEntries([...final].filter(([, value]) => value !== undefined)));
      expect(behaviour(stepwise)).toEqual(behaviour(fresh));
      expect(stepwise.setups - stepwise.disposals).toBe(fresh.setups);
      expect(stepwise.counts.inUse).toBe(fresh.counts.inUse);
    }),
    { numRuns: 200 },
  );
});
