import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DnsServer, eventually } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, startGateway } from "../support/gateway.ts";

/** Answers with the address that it was called at, on all loopback addresses. */
async function startAddressServer(): Promise<{ port: number; hosts: string[] } & AsyncDisposable> {
  const hosts: string[] = [];
  const server = createServer((request, response) => {
    hosts.push(request.headers.host ?? "");
    response.end(request.socket.localAddress);
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  return {
    hosts,
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("names of nodes", () => {
  let dns: DnsServer;
  let gateway: Gateway;
  let server: Awaited<ReturnType<typeof startAddressServer>>;

  beforeAll(async () => {
    dns = await new DnsServer().listen();
    server = await startAddressServer();
    const apisix = { dns_resolver: [dns.address], dns_resolver_valid: 1, enable_resolv_search_opt: false };
    gateway = await startGateway("embedded", { apisix, discovery: { dns: { servers: [dns.address] } } });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await dns[Symbol.asyncDispose]();
  });

  async function ask(path: string): Promise<{ status: number; body: string }> {
    const response = await fetch(gateway.origin + path);
    return { status: response.status, body: await response.text() };
  }

  /** The addresses that answer some calls. */
  async function addresses(path: string): Promise<string[]> {
    const seen = new Set<string>();
    for (let count = 0; count < 8; count += 1) seen.add((await ask(path)).body);
    return [...seen].sort();
  }

  it("are resolved, followed as they change, and kept while DNS is away", async () => {
    dns.zones.set("svc.test", { a: ["127.0.0.1"] });
    const upstream = { type: "roundrobin", pass_host: "node", nodes: { [`svc.test:${server.port}`]: 1 } };
    await gateway.route({ svc: { uri: "/svc", upstream } });
    expect(await addresses("/svc")).toEqual(["127.0.0.1"]);
    expect(server.hosts.at(-1)).toBe(`svc.test:${server.port}`);

    dns.zones.set("svc.test", { a: ["127.0.0.2", "127.0.0.3"] });
    await eventually(async () => (await addresses("/svc")).join() === "127.0.0.2,127.0.0.3");

    dns.behaviour = "fail";
    const asked = dns.questions.length;
    await eventually(async () => {
      await ask("/svc");
      return dns.questions.length > asked + 2;
    });
    expect(await addresses("/svc")).toEqual(["127.0.0.2", "127.0.0.3"]);
    dns.behaviour = "answer";
  });

  it("that cannot be resolved are left out, and nothing but such gives 503 that says so", async () => {
    dns.zones.set("svc.test", { a: ["127.0.0.4"] });
    const nodes = { [`none.test:${server.port}`]: 1, [`svc.test:${server.port}`]: 1 };
    await gateway.route({
      some: { uri: "/some", upstream: { type: "roundrobin", nodes } },
      none: { uri: "/none", upstream: { type: "roundrobin", nodes: { "none.test": 1 } } },
    });
    await eventually(async () => (await addresses("/some")).join() === "127.0.0.4");
    const { status, body } = await ask("/none");
    expect(status).toBe(503);
    expect(JSON.parse(body)).toMatchObject({ reason: "unresolved" });
  });

  it("of services give nodes by SRV records, the lowest priority first", async () => {
    const srv = (priority: number, target: string) => ({ priority, weight: 1, port: server.port, target });
    dns.zones.set("_http.api.test", { srv: [srv(1, "one.test"), srv(2, "two.test")] });
    dns.zones.set("one.test", { a: ["127.0.0.5", "127.0.0.6"] });
    dns.zones.set("two.test", { a: ["127.0.0.7"] });
    const upstream = { type: "roundrobin", service_name: "_http.api.test", discovery_type: "dns" };
    await gateway.route({ service: { uri: "/service", upstream } });
    expect(await addresses("/service")).toEqual(["127.0.0.5", "127.0.0.6"]);
  });

  it("found in ways that are not there give 503, and a diagnostic names the way", async () => {
    const upstream = { type: "roundrobin", service_name: "a", discovery_type: "eureka" };
    await gateway.route({ eureka: { uri: "/eureka", upstream } });
    expect((await ask("/eureka")).status).toBe(503);
    expect(gateway.dataPlane.transcript).toContain("discovery_type eureka is not supported");
  });
});
