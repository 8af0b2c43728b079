import type { Connections, Target } from "@fngate/kernel";
import { expect, test } from "vitest";
import { compileUpstream } from "./compile-upstream.ts";
import type { UpstreamConfig } from "./upstream-config.ts";

/** Connections that remember what was acquired and what is still held. */
function recordingConnections(): Connections & { readonly targets: Target[]; held: number } {
  const connections = {
    targets: [] as Target[],
    held: 0,
    acquire(target: Target) {
      connections.targets.push(target);
      connections.held += 1;
      return {
        target,
        release: () => {
          connections.held -= 1;
        },
      };
    },
  };
  return connections;
}

function compiled(config: UpstreamConfig, random = () => 0) {
  return compileUpstream(config, recordingConnections(), { random });
}

test.each<{ name: string; scheme?: string; nodes: UpstreamConfig["nodes"]; addresses: string[] }>([
  { name: "a map with ports", nodes: { "a.test:81": 1, "b.test:82": 2 }, addresses: ["a.test:81", "b.test:82"] },
  { name: "a map without ports", nodes: { "a.test": 1 }, addresses: ["a.test:80"] },
  { name: "https without ports", scheme: "https", nodes: { "a.test": 1 }, addresses: ["a.test:443"] },
  {
    name: "IPv6 in a map",
    nodes: { "[::1]:81": 1, "[::2]": 1, "fe80::3": 1 },
    addresses: ["[::1]:81", "[::2]:80", "[fe80::3]:80"],
  },
  {
    name: "a list",
    nodes: [
      { host: "a.test", port: 81, weight: 1 },
      { host: "[::1]", weight: 1 },
      { host: "::2", port: 82, weight: 0 },
    ],
    addresses: ["a.test:81", "[::1]:80", "[::2]:82"],
  },
  {
    name: "a list whose hosts carry the port",
    nodes: [
      { host: "127.0.0.1:81", weight: 1 },
      { host: "[::1]:82", weight: 1 },
    ],
    addresses: ["127.0.0.1:81", "[::1]:82"],
  },
  { name: "an empty map", nodes: {}, addresses: [] },
  { name: "no nodes", nodes: undefined, addresses: [] },
])("nodes are read from $name", ({ scheme, nodes, addresses }) => {
  expect(compiled({ nodes, scheme }).nodes.map(({ address }) => address)).toEqual(addresses);
});

test("of repeated addresses the last weight wins", () => {
  const nodes = [
    { host: "a", port: 80, weight: 1 },
    { host: "b", port: 80, weight: 1 },
    { host: "a", weight: 7 },
  ];
  expect(compiled({ nodes }).nodes.map(({ host, weight }) => `${host} ${weight}`)).toEqual(["a 7", "b 1"]);
});

test.each(["a:0", "a:65536", "a:x", "a:", "[::1]x", ""])("the address %j is refused", (address) => {
  expect(() => compiled({ nodes: { [address]: 1 } })).toThrow(expect.objectContaining({ code: "UPSTREAM_INVALID" }));
});

test.each(["a b", "a/b", "user@a", "[::1", "a]", "a%zz"])("the host %j is refused in both forms", (host) => {
  const refusal = expect.objectContaining({ code: "UPSTREAM_INVALID" });
  expect(() => compiled({ nodes: { [host]: 1 } })).toThrow(refusal);
  expect(() => compiled({ nodes: [{ host, port: 80, weight: 1 }] })).toThrow(refusal);
});

test("a host with a port beside a port is refused", () => {
  expect(() => compiled({ nodes: [{ host: "a:81", port: 82, weight: 1 }] })).toThrow(
    expect.objectContaining({ code: "UPSTREAM_INVALID" }),
  );
});

test.each([
  { config: { type: "magic", nodes: {} }, named: "magic" },
  { config: { scheme: "kafka", nodes: {} }, named: "kafka" },
])("an unknown kind is refused by name: $named", ({ config, named }) => {
  expect(() => compiled(config)).toThrow(
    expect.objectContaining({ code: "UPSTREAM_INVALID", message: expect.stringContaining(named) }),
  );
});

test("limits have APISIX's defaults and are in milliseconds", () => {
  const connections = recordingConnections();
  compileUpstream({ nodes: { a: 1 } }, connections);
  expect(connections.targets).toEqual([
    {
      scheme: "http",
      host: "a",
      port: 80,
      keepalive: { idleConnections: 320, idleTimeoutMs: 60_000, maxRequests: 1000 },
      timeouts: { connectMs: 60_000, sendMs: 60_000, readMs: 60_000 },
    },
  ]);
});

test("https is not verified unless asked for and carries the client certificate", () => {
  const connections = recordingConnections();
  const tls = { client_cert: "c", client_key: "k" };
  compileUpstream({ scheme: "https", nodes: { "a.test:8443": 1 }, pass_host: "node", tls }, connections);
  expect(connections.targets[0]?.tls).toEqual({ verify: false, cert: "c", key: "k", serverName: "a.test" });
});

test("under pass_host pass the server name follows the request's Host", () => {
  const connections = recordingConnections();
  const upstream = compileUpstream({ scheme: "https", nodes: { "10.0.0.1": 1 } }, connections);
  const [node] = upstream.nodes;
  for (const host of ["A.test", "a.test:8443", "[::1]:443"]) node?.endpointFor(host);
  expect(connections.targets.map(({ tls }) => tls?.serverName)).toEqual(["10.0.0.1", "a.test", "::1"]);
  for (let count = 0; count < 200; count += 1) node?.endpointFor(`${count}.test`);
  expect(connections.held).toBeLessThan(70);
  upstream.dispose();
  expect(connections.held).toBe(0);
});

test.each<{ name: string; config: UpstreamConfig; host: string | undefined }>([
  { name: "pass", config: { nodes: { "a.test:81": 1 } }, host: undefined },
  { name: "node with port", config: { nodes: { "a.test:81": 1 }, pass_host: "node" }, host: "a.test:81" },
  { name: "node with the scheme's port", config: { nodes: { "a.test:80": 1 }, pass_host: "node" }, host: "a.test" },
  {
    name: "node over https",
    config: { nodes: { "a.test:80": 1 }, pass_host: "node", scheme: "https" },
    host: "a.test:80",
  },
  { name: "IPv6 node", config: { nodes: { "[::1]:81": 1 }, pass_host: "node" }, host: "[::1]:81" },
  { name: "rewrite", config: { nodes: { a: 1 }, pass_host: "rewrite", upstream_host: "B.test:1" }, host: "B.test:1" },
])("Host under $name", ({ config, host }) => {
  expect(compiled(config).nodes[0]?.hostHeader).toBe(host);
});

test.each([
  { weights: [1, 1, 1], random: 0 },
  { weights: [5, 1, 1], random: 0 },
  { weights: [5, 1, 1], random: 0.99 },
  { weights: [2, 4], random: 0.5 },
  { weights: [100, 1], random: 0.3 },
  { weights: [0, 3, 1], random: 0 },
])("round robin gives each node exactly its share in every window: $weights", ({ weights, random }) => {
  const nodes = weights.map((weight, index) => ({ host: `n${index}`, weight }));
  const upstream = compiled({ nodes }, () => random);
  const divisor = weights.reduce(gcd, 0);
  const period = weights.reduce((sum, weight) => sum + weight, 0) / divisor;
  const picks = Array.from({ length: period * 3 }, () => upstream.pick(undefined)?.host);
  for (let start = 0; start + period <= picks.length; start += 1) {
    const shares = weights.map(
      (_, index) => picks.slice(start, start + period).filter((host) => host === `n${index}`).length,
    );
    expect(shares).toEqual(weights.map((weight) => weight / divisor));
  }
});

test("nodes that all have weight 0 are used evenly", () => {
  const upstream = compiled({ nodes: { a: 0, b: 0 } });
  expect(Array.from({ length: 4 }, () => upstream.pick(undefined)?.host).sort()).toEqual(["a", "a", "b", "b"]);
});

test("a lower priority is used only when every node of the higher one was tried", () => {
  const upstream = compiled({
    nodes: [
      { host: "backup", weight: 100, priority: -1 },
      { host: "a", weight: 1 },
      { host: "b", weight: 1 },
    ],
  });
  expect(upstream.retries).toBe(2);
  for (let count = 0; count < 10; count += 1) expect(upstream.pick(undefined)?.host).not.toBe("backup");
  const [backup, a, b] = upstream.nodes;
  if (backup === undefined || a === undefined || b === undefined) throw new Error("nodes missing");
  expect(upstream.pick(new Set([a]))).toBe(b);
  expect(upstream.pick(new Set([a, b]))).toBe(backup);
  expect(upstream.pick(new Set([a, b, backup]))).toBeUndefined();
});

test("a single node may be tried again, but not by default", () => {
  const upstream = compiled({ nodes: { a: 1 } });
  const [node] = upstream.nodes;
  expect(upstream.retries).toBe(0);
  expect(upstream.pick(new Set(node === undefined ? [] : [node]))).toBe(node);
});

function gcd(one: number, other: number): number {
  return other === 0 ? one : gcd(other, one % other);
}

test.each([
  { scheme: "grpc", target: { scheme: "http", version: "2", port: 80 } },
  { scheme: "grpcs", target: { scheme: "https", version: "2", port: 443, tls: { verify: false, serverName: "a" } } },
])("$scheme is HTTP/2 from the first byte on", ({ scheme, target }) => {
  const connections = recordingConnections();
  const upstream = compileUpstream({ scheme, nodes: { a: 1 } }, connections);
  expect(upstream.scheme).toBe(scheme);
  expect(connections.targets[0]).toMatchObject(target);
});
