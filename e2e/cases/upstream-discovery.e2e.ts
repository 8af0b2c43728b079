import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { DnsServer, eventually } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CheckedGateway, startCheckedGateway } from "../support/checked-gateway.ts";

/** A server on every loopback address of IPv4, which says with its status how it does on each. */
class Everywhere implements AsyncDisposable {
  /** Addresses that answer 500. */
  readonly sick = new Set<string>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      response.statusCode = this.sick.has(request.socket.localAddress ?? "") ? 500 : 200;
      response.end();
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "0.0.0.0", resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe("services found by DNS", () => {
  let dns: DnsServer;
  let plane: CheckedGateway;
  let server: Everywhere;

  beforeAll(async () => {
    dns = await new DnsServer().listen();
    server = await new Everywhere().listen();
    const apisix = { dns_resolver_valid: 1, enable_resolv_search_opt: false };
    plane = await startCheckedGateway({ apisix, discovery: { dns: { servers: [dns.address] } } });
  });
  afterAll(async () => {
    await plane[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await dns[Symbol.asyncDispose]();
  });

  const service = (service_name: string, more: object = {}) => {
    return { type: "roundrobin", discovery_type: "dns", service_name, ...more };
  };

  /** Who is asked by some requests, each with its number. */
  async function asked(id: string, count: number): Promise<Readonly<Record<string, number>>> {
    const seen: Record<string, number> = {};
    for (let call = 0; call < count; call += 1) {
      const node = await plane.ask(id);
      seen[node] = (seen[node] ?? 0) + 1;
    }
    return seen;
  }

  const at = (host: string) => `${host}:${server.port}`;

  it("have the port of their name, else that of the scheme", async () => {
    dns.zones.set("plain.test", { a: ["127.0.0.2"] });
    await plane.put("named-port", service(`plain.test:${server.port}`));
    expect(await asked("named-port", 2)).toEqual({ [at("127.0.0.2")]: 2 });
    for (const [scheme, port] of [
      ["http", 80],
      ["https", 443],
    ] as const) {
      await plane.put("no-port", service("plain.test", { scheme }));
      expect(await asked("no-port", 1)).toEqual({ [`127.0.0.2:${port}`]: 1 });
    }
  });

  it("may have addresses of IPv6 only", async () => {
    dns.zones.set("six.test", { aaaa: ["::1"] });
    await plane.put("six", service("six.test:1"));
    expect(await asked("six", 1)).toEqual({ "[::1]:1": 1 });
  });

  it("have weight 1 for each address, and that of SRV records spread over their targets' addresses", async () => {
    dns.zones.set("even.test", { a: ["127.0.0.2", "127.0.0.3"] });
    await plane.put("even", service(`even.test:${server.port}`));
    expect(await asked("even", 8)).toEqual({ [at("127.0.0.2")]: 4, [at("127.0.0.3")]: 4 });

    const srv = (weight: number, target: string) => ({ priority: 0, weight, port: server.port, target });
    dns.zones.set("weighted.test", { srv: [srv(2, "one.test"), srv(2, "two.test")] });
    dns.zones.set("one.test", { a: ["127.0.0.4"] });
    dns.zones.set("two.test", { a: ["127.0.0.5", "127.0.0.6"] });
    await plane.put("weighted", service("weighted.test"));
    expect(await asked("weighted", 12)).toEqual({ [at("127.0.0.4")]: 6, [at("127.0.0.5")]: 3, [at("127.0.0.6")]: 3 });
  });

  it("have their port in place of that of SRV records", async () => {
    dns.zones.set("both.test", { srv: [{ priority: 0, weight: 1, port: 1, target: "plain.test" }] });
    dns.zones.set("plain.test", { a: ["127.0.0.2"] });
    await plane.put("both", service(`both.test:${server.port}`));
    expect(await asked("both", 1)).toEqual({ [at("127.0.0.2")]: 1 });
  });

  it("are kept from those of a lower priority number while these do well", async () => {
    const srv = (priority: number, target: string) => ({ priority, weight: 1, port: server.port, target });
    dns.zones.set("ranked.test", { srv: [srv(5, "main.test"), srv(9, "spare.test")] });
    dns.zones.set("main.test", { a: ["127.0.0.7"] });
    dns.zones.set("spare.test", { a: ["127.0.0.8"] });
    const checks = {
      active: { http_path: "/h", healthy: { interval: 1, successes: 1 }, unhealthy: { interval: 1, http_failures: 1 } },
    };
    await plane.put("ranked", service("ranked.test", { checks }));
    expect(await asked("ranked", 4)).toEqual({ [at("127.0.0.7")]: 4 });
    // Health checks see the nodes that were found.
    server.sick.add("127.0.0.7");
    await eventually(async () => (await plane.ask("ranked")) === at("127.0.0.8"));
    const states = (await plane.nodes("ranked")).map(({ ip, status }) => [ip, status]);
    expect(Object.fromEntries(states)).toEqual({ "127.0.0.7": "unhealthy", "127.0.0.8": "healthy" });
    server.sick.clear();
    await eventually(async () => (await plane.ask("ranked")) === at("127.0.0.7"));
  });
});

describe("services, where nothing is configured to find them", () => {
  it("are nowhere: requests get 503, and a diagnostic says why", async () => {
    await using plane = await startCheckedGateway();
    const upstream = { type: "roundrobin", discovery_type: "dns", service_name: "a.test" };
    await plane.gateway.route({ lost: { uri: "/lost", upstream } });
    expect((await fetch(`${plane.gateway.origin}/lost`)).status).toBe(503);
    expect(plane.gateway.dataPlane.transcript).toContain("discovery_type dns is not configured");
  });
});
