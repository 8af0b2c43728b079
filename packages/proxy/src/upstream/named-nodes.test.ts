import type { Target } from "@fngate/kernel";
import { FakeClock } from "@fngate/test-kit";
import { expect, test } from "vitest";
import type { NameAnswer, NameResolver } from "../names/name-resolver.ts";
import type { CompiledUpstream } from "./compiled-upstream.ts";
import type { UpstreamConfig } from "./upstream-config.ts";
import { createUpstreams } from "./upstreams.ts";

/** Upstreams whose names a test decides on. */
function setUp(options: { isDiscoveryOn?: boolean } = {}) {
  const clock = new FakeClock();
  const answers = new Map<string, NameAnswer["records"]>();
  const ask = async (name: string): Promise<NameAnswer> => {
    const records = answers.get(name);
    if (records === undefined) throw new Error(`no ${name}`);
    return { records, ttlMs: 10_000 };
  };
  const resolver: NameResolver = { host: ask, ...((options.isDiscoveryOn ?? true) && { service: ask }) };
  const held = new Set<Target>();
  const connections = {
    acquire: (target: Target) => {
      held.add(target);
      return { target, release: () => held.delete(target) };
    },
  };
  const upstreams = createUpstreams({ connections, clock, resolver, random: () => 0 });
  return {
    clock,
    held,
    know: (name: string, ...addresses: readonly string[]) => {
      answers.set(
        name,
        addresses.map((address) => ({ address, weight: 1, priority: 0 })),
      );
    },
    knowService: (name: string, records: NameAnswer["records"]) => answers.set(name, records),
    forget: (name: string) => answers.delete(name),
    compile: (config: UpstreamConfig) => upstreams.compile(config, { key: "/apisix/upstreams/1" }),
  };
}

/** How often each address is picked in a number of requests. */
async function shares(upstream: CompiledUpstream, requests: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let count = 0; count < requests; count += 1) {
    await upstream.prepare();
    const address = upstream.pick(undefined)?.address ?? "none";
    counts[address] = (counts[address] ?? 0) + 1;
  }
  return counts;
}

test("a name is called at its address and known by its name", async () => {
  const { compile, held, know } = setUp();
  know("a.test", "192.0.2.1");
  const upstream = compile({ scheme: "https", pass_host: "node", nodes: { "a.test:8443": 1 } });
  await upstream.prepare();
  const node = upstream.pick(undefined);
  expect(node).toMatchObject({ host: "192.0.2.1", domain: "a.test", hostHeader: "a.test:8443" });
  expect([...held][0]).toMatchObject({ host: "192.0.2.1", port: 8443, tls: { serverName: "a.test" } });
});

test("addresses alone need no waiting", () => {
  const { compile } = setUp();
  expect(compile({ nodes: { "192.0.2.1": 1, "[::1]:80": 1 } }).prepare()).toBeUndefined();
});

test("the addresses of a name share its weight", async () => {
  const { compile, know } = setUp();
  know("many.test", "192.0.2.1", "192.0.2.2");
  const upstream = compile({ nodes: { "many.test": 1, "192.0.2.9": 2 } });
  expect(await shares(upstream, 12)).toEqual({ "192.0.2.1:80": 2, "192.0.2.2:80": 2, "192.0.2.9:80": 8 });
});

test("a name that cannot be resolved is left out", async () => {
  const { compile, know } = setUp();
  know("good.test", "192.0.2.1");
  const upstream = compile({ nodes: { "good.test": 1, "bad.test": 1 } });
  expect(await shares(upstream, 4)).toEqual({ "192.0.2.1:80": 4 });
  expect(upstream.noNodeReason).toBe("unresolved");
});

test("a changed answer replaces the nodes; those that stay keep their connections, the others give them back", async () => {
  const { clock, compile, held, know } = setUp();
  know("a.test", "192.0.2.1", "192.0.2.2");
  const upstream = compile({ nodes: { "a.test": 1 } });
  await shares(upstream, 2);
  const [, kept] = upstream.nodes;
  know("a.test", "192.0.2.2", "192.0.2.3");
  await clock.advance(10_000);
  expect(await shares(upstream, 4)).toEqual({ "192.0.2.2:80": 2, "192.0.2.3:80": 2 });
  expect(upstream.nodes[0]).toBe(kept);
  expect([...held].map(({ host }) => host)).toEqual(["192.0.2.2", "192.0.2.3"]);
  upstream.dispose();
  expect(held.size).toBe(0);
});

test("a name that stops being resolved keeps its last addresses", async () => {
  const { clock, compile, forget, know } = setUp();
  know("a.test", "192.0.2.1");
  const upstream = compile({ nodes: { "a.test": 1 } });
  await shares(upstream, 1);
  forget("a.test");
  await clock.advance(100_000);
  expect(await shares(upstream, 1)).toEqual({ "192.0.2.1:80": 1 });
});

test("a new version of an upstream knows the names of the old one at once", async () => {
  const { compile, know } = setUp();
  know("a.test", "192.0.2.1");
  const old = compile({ nodes: { "a.test": 1 } });
  await shares(old, 1);
  const next = compile({ nodes: { "a.test": 1 }, retries: 3 });
  old.dispose();
  expect(next.prepare()).toBeUndefined();
  expect(next.pick(undefined)?.address).toBe("192.0.2.1:80");
});

test("a service's instances are its nodes, with their ports, weights and priorities", async () => {
  const { compile, knowService } = setUp();
  knowService("api.test", [
    { address: "192.0.2.1", port: 1980, weight: 3, priority: -1 },
    { address: "192.0.2.2", port: 0, weight: 1, priority: -1 },
    { address: "192.0.2.3", port: 1982, weight: 1, priority: -2 },
  ]);
  const upstream = compile({ service_name: "api.test", discovery_type: "dns" });
  expect(await shares(upstream, 8)).toEqual({ "192.0.2.1:1980": 6, "192.0.2.2:80": 2 });
  expect(upstream.retries).toBe(2);
});

test("a port in the service's name is everybody's", async () => {
  const { compile, knowService } = setUp();
  knowService("api.test", [{ address: "192.0.2.1", port: 1980, weight: 1, priority: 0 }]);
  const upstream = compile({ service_name: "api.test:9000", discovery_type: "dns" });
  expect(await shares(upstream, 1)).toEqual({ "192.0.2.1:9000": 1 });
});

test.each([
  { type: "eureka", isDiscoveryOn: true, named: "eureka" },
  { type: "dns", isDiscoveryOn: false, named: "discovery.dns" },
])("discovery by $type that is not there is refused by name, with status 503", ({ type, isDiscoveryOn, named }) => {
  const { compile } = setUp({ isDiscoveryOn });
  expect(() => compile({ service_name: "a", discovery_type: type })).toThrow(
    expect.objectContaining({
      code: "UPSTREAM_INVALID",
      message: expect.stringContaining(named),
      details: expect.objectContaining({ status: 503 }),
    }),
  );
});
