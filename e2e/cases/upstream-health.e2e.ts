import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type EchoUpstream, eventually, startEchoUpstream } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";

/** A server that can be told what to answer. */
class Patient implements AsyncDisposable {
  status = 200;
  readonly #server: Server;

  constructor(name: string) {
    this.#server = createServer((_request, response) => {
      response.statusCode = this.status;
      response.end(name);
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get node(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const CHECKS = {
  active: {
    http_path: "/status",
    healthy: { interval: 1, successes: 1 },
    unhealthy: { interval: 1, http_failures: 1, tcp_failures: 1 },
  },
};

describe.each(MODES)("health checks (%s)", (mode) => {
  let gateway: Gateway;
  let one: Patient;
  let two: Patient;
  let spare: EchoUpstream;

  beforeAll(async () => {
    one = await new Patient("one").start();
    two = await new Patient("two").start();
    spare = await startEchoUpstream({ reply: { body: "spare" } });
    gateway = await startGateway(mode);
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    for (const server of [one, two, spare]) await server[Symbol.asyncDispose]();
  });

  /** Who answers a few requests. */
  async function names(path: string): Promise<Set<string>> {
    const seen = new Set<string>();
    for (let count = 0; count < 6; count += 1) seen.add(await (await fetch(gateway.origin + path)).text());
    return seen;
  }

  /** The value of `apisix_upstream_status` for a node. */
  async function statusMetric(upstream: string, node: string): Promise<string | undefined> {
    const { port } = gateway.dataPlane.address("metrics");
    const text = await (await fetch(`http://127.0.0.1:${port}/apisix/prometheus/metrics`)).text();
    const label = `apisix_upstream_status{name="/apisix/${upstream}",ip="127.0.0.1",port="${node.split(":")[1]}"}`;
    return text
      .split("\n")
      .find((line) => line.startsWith(label))
      ?.slice(label.length + 1);
  }

  it("takes a failing node out, shows it, keeps that through a change of the upstream, and takes it back", async () => {
    const upstream = { type: "roundrobin", nodes: { [one.node]: 1, [two.node]: 1 }, checks: CHECKS };
    await gateway.admin.put("/upstreams/sick", upstream);
    await gateway.route({ health: { uri: "/health", upstream_id: "sick" } });
    expect(await names("/health")).toEqual(new Set(["one", "two"]));
    two.status = 500;
    await eventually(async () => (await statusMetric("upstreams/sick", two.node)) === "0");
    expect(await names("/health")).toEqual(new Set(["one"]));

    await gateway.admin.put("/upstreams/sick", {
      ...upstream,
      nodes: { ...upstream.nodes, [spare.origin.slice(7)]: 1 },
    });
    await gateway.settle();
    expect(await names("/health")).toEqual(new Set(["one", "spare"]));
    expect(await statusMetric("upstreams/sick", one.node)).toBe("1");

    two.status = 200;
    await eventually(async () => (await statusMetric("upstreams/sick", two.node)) === "1");
    expect(await names("/health")).toEqual(new Set(["one", "two", "spare"]));
    await gateway.admin.delete("/routes/health");
    await gateway.admin.delete("/upstreams/sick");
  });

  it("takes a node out for the answers its requests get", async () => {
    const checks = {
      active: { http_path: "/status" },
      passive: { unhealthy: { http_statuses: [500], http_failures: 2 } },
    };
    const nodes = { [one.node]: 1, [two.node]: 1 };
    await gateway.route({ passive: { uri: "/passive", upstream: { type: "roundrobin", nodes, checks } } });
    two.status = 500;
    for (let count = 0; count < 4; count += 1) await (await fetch(`${gateway.origin}/passive`)).text();
    expect(await names("/passive")).toEqual(new Set(["one"]));
    expect(await statusMetric("routes/passive", two.node)).toBe("0");
    two.status = 200;
  });

  it("uses every node when none passes", async () => {
    const nodes = { [one.node]: 1, [two.node]: 1 };
    await gateway.route({ all: { uri: "/all", upstream: { type: "roundrobin", nodes, checks: CHECKS } } });
    one.status = 503;
    two.status = 503;
    await names("/all");
    await eventually(async () => (await statusMetric("routes/all", one.node)) === "0");
    await eventually(async () => (await statusMetric("routes/all", two.node)) === "0");
    expect(await names("/all")).toEqual(new Set(["one", "two"]));
    one.status = 200;
    two.status = 200;
  });

  it("forgets an upstream that is deleted", async () => {
    await gateway.route({
      gone: { uri: "/gone", upstream: { type: "roundrobin", nodes: { [one.node]: 1 }, checks: CHECKS } },
    });
    await names("/gone");
    expect(await statusMetric("routes/gone", one.node)).toBe("1");
    await gateway.admin.delete("/routes/gone");
    await gateway.settle();
    expect(await statusMetric("routes/gone", one.node)).toBeUndefined();
  });
});

it("leaves checks alone when disable_upstream_healthcheck says so", async () => {
  await using patient = await new Patient("patient").start();
  await using gateway = await startGateway("embedded", { apisix: { disable_upstream_healthcheck: true } });
  const nodes = { [patient.node]: 1 };
  await gateway.route({ off: { uri: "/off", upstream: { type: "roundrobin", nodes, checks: CHECKS } } });
  expect(await (await fetch(`${gateway.origin}/off`)).text()).toBe("patient");
  const { port } = gateway.dataPlane.address("metrics");
  const metrics = await (await fetch(`http://127.0.0.1:${port}/apisix/prometheus/metrics`)).text();
  expect(metrics).not.toContain("apisix_upstream_status{");
});
