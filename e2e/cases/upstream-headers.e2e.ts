import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, type GatewayOptions, MODES, startGateway } from "../support/gateway.ts";
import { exchange, type RawRequest, rawClient } from "../support/raw-client.ts";
import { valuesOf } from "../support/raw-response.ts";
import { type RecordedHead, type Recorder, startRecorder } from "../support/recorder.ts";

/** What an upstream is told of where a request comes from. */
const FORWARDING = [
  ...["host", "x-real-ip", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port"],
  "forwarded",
];

const CLAIMS = [
  ...["X-Forwarded-Proto: https", "X-Forwarded-Host: claimed.test", "X-Forwarded-Port: 4711"],
  ...["X-Forwarded-For: 192.0.2.1, 192.0.2.2", "Forwarded: for=192.0.2.1"],
];

/** A gateway before one upstream that keeps what it gets. */
class Observed implements AsyncDisposable {
  readonly gateway: Gateway;
  readonly upstream: Recorder;

  constructor(gateway: Gateway, upstream: Recorder) {
    this.gateway = gateway;
    this.upstream = upstream;
  }

  get node(): string {
    return `127.0.0.1:${this.upstream.port}`;
  }

  /** What the upstream got of a request. */
  async sent(request: RawRequest): Promise<RecordedHead> {
    this.upstream.reset();
    await exchange(this.gateway.port, request);
    return this.upstream.request();
  }

  /** The forwarding fields that the upstream got, absent ones left out. */
  async forwarding(fields: readonly string[], target = "/x"): Promise<Readonly<Record<string, string>>> {
    const sent = await this.sent({ target, fields });
    const present = FORWARDING.map((name) => [name, valuesOf(sent, name).join(" | ")]);
    return Object.fromEntries(present.filter(([, value]) => value !== ""));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
    await this.upstream[Symbol.asyncDispose]();
  }
}

async function observe(mode: Gateway["mode"], options: GatewayOptions = {}): Promise<Observed> {
  const upstream = await startRecorder();
  try {
    const observed = new Observed(await startGateway(mode, options), upstream);
    await observed.gateway.route({ all: { uri: "/*", upstream: { nodes: { [observed.node]: 1 } } } });
    return observed;
  } catch (error) {
    await upstream[Symbol.asyncDispose]();
    throw error;
  }
}

/** Routes that differ in `pass_host` and in whether a plugin names a host. */
async function routeHosts({ gateway, node, upstream: { port } }: Observed): Promise<void> {
  const nodes = { [node]: 1 };
  const rewritten = { pass_host: "rewrite", upstream_host: "Rewritten.Test:99" };
  const plugins = { "proxy-rewrite": { host: "plugin.test:7" } };
  await gateway.route({
    pass: { uri: "/pass", upstream: { nodes, pass_host: "pass" } },
    node: { uri: "/node", upstream: { nodes, pass_host: "node" } },
    named: { uri: "/named", upstream: { nodes: { [`localhost:${port}`]: 1 }, pass_host: "node" } },
    rewrite: { uri: "/rewrite", upstream: { nodes, ...rewritten } },
    "plugin-pass": { uri: "/plugin-pass", plugins, upstream: { nodes } },
    "plugin-node": { uri: "/plugin-node", plugins, upstream: { nodes, pass_host: "node" } },
    "plugin-rewrite": { uri: "/plugin-rewrite", plugins, upstream: { nodes, ...rewritten } },
  });
}

describe.each(MODES)("what an upstream is told of the client (%s)", (mode) => {
  let plane: Observed;
  /** What is told whatever a client claims. */
  let truth: Readonly<Record<string, string>>;

  beforeAll(async () => {
    plane = await observe(mode);
    await routeHosts(plane);
    truth = {
      host: "gateway.test",
      "x-real-ip": "127.0.0.1",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "gateway.test",
      "x-forwarded-port": String(plane.gateway.port),
    };
  });
  afterAll(() => plane[Symbol.asyncDispose]());

  it("is what the gateway saw", async () => {
    expect(await plane.forwarding([])).toEqual(truth);
  });

  it("is not what the client claims, except for the chain of addresses, which goes on", async () => {
    expect(await plane.forwarding(CLAIMS)).toEqual({ ...truth, "x-forwarded-for": "192.0.2.1, 192.0.2.2, 127.0.0.1" });
  });

  it("has repeated chains in one", async () => {
    const fields = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.2"];
    expect(await plane.forwarding(fields)).toEqual({
      ...truth,
      "x-forwarded-for": "192.0.2.1, 192.0.2.2, 127.0.0.1",
    });
  });

  it("has the client's Host as it was written, and the port in it", async () => {
    expect(await plane.forwarding(["Host: GateWay.Test:8088"])).toEqual({
      ...truth,
      host: "GateWay.Test:8088",
      "x-forwarded-host": "GateWay.Test:8088",
      "x-forwarded-port": "8088",
    });
  });

  it("has the port of a bracketed address, and no part of that address for it", async () => {
    expect(await plane.forwarding(["Host: [::1]:8088"])).toMatchObject({
      host: "[::1]:8088",
      "x-forwarded-port": "8088",
    });
    expect(await plane.forwarding(["Host: [::1]"])).toMatchObject({
      host: "[::1]",
      "x-forwarded-port": String(plane.gateway.port),
    });
  });

  it("is the address that a believed peer names", async () => {
    const told = await plane.forwarding(["X-Real-IP: 192.0.2.9"]);
    expect(told).toEqual({ ...truth, "x-real-ip": "192.0.2.9", "x-forwarded-for": "192.0.2.9" });
  });

  it("may be overwritten by a plugin", async () => {
    const headers = { set: { "X-Forwarded-Proto": "https", "X-Forwarded-Host": "p.test", "X-Forwarded-Port": "1" } };
    const upstream = { nodes: { [plane.node]: 1 } };
    await plane.gateway.route({ set: { uri: "/set", upstream, plugins: { "proxy-rewrite": { headers } } } });
    expect(await plane.forwarding([], "/set")).toEqual({
      ...truth,
      "x-forwarded-proto": "https",
      "x-forwarded-host": "p.test",
      "x-forwarded-port": "1",
    });
  });

  it("leaves the target as it came, but for what follows a number sign", async () => {
    const target = "/a/%2e/b//c%2Fd?x=%zz&y=a+b&=";
    expect((await plane.sent({ target })).requestLine).toBe(`GET ${target} HTTP/1.1`);
    expect((await plane.sent({ target: "/a?b=1#c" })).requestLine).toBe("GET /a?b=1 HTTP/1.1");
  });

  it("keeps every other field, its order, repeats and bytes", async () => {
    const fields = ["X-B: 1", "X-A: ", "X-B: 2", "x_c: 3", "X-Byte: \xe9", "Cookie: a=1", "Authorization: Basic x"];
    const sent = await plane.sent({ target: "/x", fields });
    const names = new Set(fields.map((field) => field.slice(0, field.indexOf(":")).toLowerCase()));
    const kept = sent.fields.filter(([name]) => names.has(name));
    expect(kept).toEqual([
      ...[
        ["x-b", "1"],
        ["x-a", ""],
        ["x-b", "2"],
        ["x_c", "3"],
        ["x-byte", "\xe9"],
      ],
      ...[
        ["cookie", "a=1"],
        ["authorization", "Basic x"],
      ],
    ]);
  });

  describe("as the Host of the request", () => {
    it.each([
      { path: "/pass", what: "the client's as written", host: () => "Client.Test:81" },
      { path: "/node", what: "the node's address and port", host: () => plane.node },
      { path: "/named", what: "the node's name and port", host: () => `localhost:${plane.upstream.port}` },
      { path: "/rewrite", what: "`upstream_host` as written", host: () => "Rewritten.Test:99" },
      { path: "/plugin-pass", what: "a plugin's in place of the client's", host: () => "plugin.test:7" },
      { path: "/plugin-node", what: "the node's, whatever a plugin says", host: () => plane.node },
      { path: "/plugin-rewrite", what: "`upstream_host`, whatever a plugin says", host: () => "Rewritten.Test:99" },
    ])("is $what ($path)", async ({ host, path }) => {
      const sent = await plane.sent({ target: path, fields: ["Host: Client.Test:81"] });
      expect(valuesOf(sent, "host")).toEqual([host()]);
    });

    it("is the node's for a client of HTTP/1.0 that names none", async () => {
      plane.upstream.reset();
      await using client = await rawClient(plane.gateway.port);
      client.send("GET /pass HTTP/1.0\r\n\r\n");
      await client.untilClosed();
      const sent = await plane.upstream.request();
      expect(valuesOf(sent, "host")).toEqual([plane.node]);
      expect(valuesOf(sent, "x-forwarded-port")).toEqual([String(plane.gateway.port)]);
    });
  });
});

describe("what an upstream is told of a client that may be trusted", () => {
  let trusting: Observed;
  beforeAll(async () => {
    trusting = await observe("embedded", { apisix: { trusted_addresses: ["127.0.0.0/8"] } });
  });
  afterAll(() => trusting[Symbol.asyncDispose]());

  it.each([
    {
      what: "its own words",
      claims: CLAIMS,
      told: { "x-forwarded-proto": "https", "x-forwarded-host": "claimed.test" },
    },
    { what: "what it left out", claims: ["X-Forwarded-Host: claimed.test"], told: { "x-forwarded-proto": "http" } },
    { what: "what it left empty", claims: ["X-Forwarded-Proto:"], told: { "x-forwarded-proto": "http" } },
  ])("is $what", async ({ claims, told }) => {
    expect(await trusting.forwarding(claims)).toMatchObject(told);
  });

  it("is all of its claims, and the chain with its own address", async () => {
    expect(await trusting.forwarding(CLAIMS)).toEqual({
      host: "gateway.test",
      "x-real-ip": "127.0.0.1",
      "x-forwarded-for": "192.0.2.1, 192.0.2.2, 127.0.0.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "claimed.test",
      "x-forwarded-port": "4711",
      forwarded: "for=192.0.2.1",
    });
  });

  it("goes by the connection's peer, not by the address that it names", async () => {
    expect(await trusting.forwarding([...CLAIMS, "X-Real-IP: 192.0.2.9"])).toMatchObject({
      "x-real-ip": "192.0.2.9",
      "x-forwarded-host": "claimed.test",
    });
  });
});

describe("what an upstream is told of a stranger, where only some are trusted", () => {
  let strict: Observed;
  beforeAll(async () => {
    strict = await observe("embedded", { apisix: { trusted_addresses: ["192.0.2.0/24", "::1"] } });
  });
  afterAll(() => strict[Symbol.asyncDispose]());

  it("has nothing of its claims, its chain neither", async () => {
    expect(await strict.forwarding(CLAIMS)).toMatchObject({
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "gateway.test",
    });
  });

  it("is not changed by a trusted address that the stranger names", async () => {
    expect(await strict.forwarding([...CLAIMS, "X-Real-IP: 192.0.2.9"])).toMatchObject({
      "x-forwarded-for": "192.0.2.9",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "gateway.test",
    });
  });
});
