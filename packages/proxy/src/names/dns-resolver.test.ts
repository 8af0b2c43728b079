import { writeFile } from "node:fs/promises";
import { DnsServer, tempDirectory } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { createDnsResolver, type DnsResolverOptions } from "./dns-resolver.ts";

function resolverAt(server: DnsServer, options: DnsResolverOptions = {}) {
  return createDnsResolver({ servers: [server.address], hostsPath: "", isSearchOn: false, ...options });
}

function recordOf(address: string) {
  return { address, weight: 1, priority: 0 };
}

test("a name gives all its addresses and their lifetime", async () => {
  await using server = await new DnsServer().listen();
  server.zones.set("a.test", { a: ["192.0.2.1", "192.0.2.2"], aaaa: ["2001:db8::1"], ttlSeconds: 30 });
  const { records, ttlMs } = await resolverAt(server).host("a.test");
  expect(records).toEqual([recordOf("192.0.2.1"), recordOf("192.0.2.2")]);
  expect(ttlMs).toBe(30_000);
});

test("IPv6 addresses are taken when there are no others", async () => {
  await using server = await new DnsServer().listen();
  server.zones.set("six.test", { aaaa: ["2001:db8::1"] });
  expect((await resolverAt(server).host("six.test")).records).toEqual([recordOf("2001:db8::1")]);
});

test("dns_resolver_valid replaces the lifetime, and none is shorter than a second", async () => {
  await using server = await new DnsServer().listen();
  server.zones.set("a.test", { a: ["192.0.2.1"], ttlSeconds: 0 });
  expect((await resolverAt(server).host("a.test")).ttlMs).toBe(1_000);
  expect((await resolverAt(server, { validMs: 7_000 }).host("a.test")).ttlMs).toBe(7_000);
});

test("a name without address and a failing server reject", async () => {
  await using server = await new DnsServer().listen();
  const resolver = resolverAt(server);
  await expect(resolver.host("none.test")).rejects.toMatchObject({ code: "UPSTREAM_INVALID" });
  server.behaviour = "fail";
  await expect(resolver.host("a.test")).rejects.toThrow();
});

test("a silent server is given up", async () => {
  await using server = await new DnsServer().listen();
  server.behaviour = "silent";
  await expect(resolverAt(server, { timeoutMs: 300 }).host("a.test")).rejects.toThrow();
});

test("the hosts file comes first, IPv4 before IPv6, and does not age", async () => {
  await using server = await new DnsServer().listen();
  await using directory = await tempDirectory();
  await writeFile(directory.file("hosts"), "# comment\n::7 box.test\n192.0.2.7 Box.test alias.test # mine\n\n");
  const resolver = resolverAt(server, { hostsPath: directory.file("hosts") });
  const answer = { records: [recordOf("192.0.2.7")], ttlMs: Number.POSITIVE_INFINITY };
  expect(await resolver.host("box.TEST")).toEqual(answer);
  expect(await resolver.host("alias.test")).toEqual(answer);
  expect((await resolver.host("localhost")).records).toEqual([recordOf("127.0.0.1")]);
  expect(server.questions).toEqual([]);
});

test.each([
  { name: "short", isSearchOn: true, asked: ["A short.one.test", "AAAA short.one.test", "A short.two.test"] },
  { name: "a.b.c.test", isSearchOn: true, asked: ["A a.b.c.test"] },
  { name: "short.two.test.", isSearchOn: true, asked: ["A short.two.test"] },
  { name: "x.y", isSearchOn: false, asked: ["A x.y"] },
])("search domains complete $name when search is $isSearchOn", async ({ name, isSearchOn, asked }) => {
  await using server = await new DnsServer().listen();
  await using directory = await tempDirectory();
  await writeFile(directory.file("resolv.conf"), "search one.test two.test\noptions timeout:1 ndots:2\n");
  for (const known of ["short.two.test", "a.b.c.test", "x.y"]) server.zones.set(known, { a: ["192.0.2.1"] });
  const resolver = resolverAt(server, { isSearchOn, resolvConfPath: directory.file("resolv.conf") });
  expect((await resolver.host(name)).records).toEqual([recordOf("192.0.2.1")]);
  expect(server.questions).toEqual(asked);
});

test("SRV records give ports, weights and reversed priorities; a target's addresses share its weight", async () => {
  await using server = await new DnsServer().listen();
  server.zones.set("api.test", {
    srv: [
      { priority: 10, weight: 60, port: 1980, target: "one.test" },
      { priority: 20, weight: 0, port: 1981, target: "two.test" },
      { priority: 20, weight: 9, port: 1982, target: "gone.test" },
    ],
  });
  server.zones.set("one.test", { a: ["192.0.2.1", "192.0.2.2"], ttlSeconds: 20 });
  server.zones.set("two.test", { a: ["192.0.2.3"], ttlSeconds: 40 });
  const { records, ttlMs } = await resolverAt(server).service("api.test");
  expect(records).toEqual([
    { address: "192.0.2.1", port: 1980, weight: 60, priority: -10 },
    { address: "192.0.2.2", port: 1980, weight: 60, priority: -10 },
    { address: "192.0.2.3", port: 1981, weight: 2, priority: -20 },
  ]);
  expect(ttlMs).toBe(20_000);
});

test("a service without SRV records is its addresses, in the order asked for", async () => {
  await using server = await new DnsServer().listen();
  server.zones.set("plain.test", { a: ["192.0.2.1"], aaaa: ["2001:db8::1"] });
  expect((await resolverAt(server).service("plain.test")).records).toEqual([recordOf("192.0.2.1")]);
  const other = resolverAt(server, { serviceOrder: ["last", "AAAA", "A"] });
  expect((await other.service("plain.test")).records).toEqual([recordOf("2001:db8::1")]);
});
