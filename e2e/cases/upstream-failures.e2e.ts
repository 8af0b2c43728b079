import { DnsServer, eventually } from "@fngate/test-kit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FullListener, startFullListener } from "../support/full-listener.ts";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { type Greeter, startGreeter } from "../support/greeter.ts";
import { exchange, rawClient, requestText } from "../support/raw-client.ts";
import { type RawResponse, valuesOf } from "../support/raw-response.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";

/** How a route fails: its upstream, what the node does, and what the client, the metrics and the log get of it. */
interface Failure {
  readonly what: string;
  /** Behind a recorder's address unless it has nodes of its own. */
  readonly upstream: object;
  /** What the recorder answers; absent: it hangs up. */
  readonly answer?: string;
  readonly status: number;
  /** `X-APISIX-Upstream-Status`; absent where nothing was tried. */
  readonly list?: string;
  readonly reason: string;
}

const TITLES: Readonly<Record<number, string>> = {
  502: "502 Bad Gateway",
  503: "503 Service Temporarily Unavailable",
  504: "504 Gateway Time-out",
};

/** A consumer of a group that does not exist. */
const JACK = { username: "jack", group_id: "none", plugins: { "key-auth": { key: "k" } } };

const HASTY = { connect: 0.3, send: 5, read: 0.3 };

const FAILURES: readonly Failure[] = [
  { what: "refused", upstream: { nodes: { "127.0.0.1:1": 1 } }, status: 502, list: "502", reason: "refused" },
  { what: "reset", upstream: {}, status: 502, list: "502", reason: "reset" },
  { what: "handshake", upstream: { scheme: "https" }, status: 502, list: "502", reason: "tls" },
  { what: "no-http", upstream: {}, answer: "SSH-2.0-Open\r\n", status: 502, list: "502", reason: "bad-response" },
  {
    what: "large-head",
    upstream: {},
    answer: `HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(200_000)}\r\n\r\n`,
    status: 502,
    list: "502",
    reason: "bad-response",
  },
  { what: "connect-time", upstream: { timeout: HASTY }, status: 504, list: "504", reason: "connect-timeout" },
  { what: "silence", upstream: { timeout: HASTY }, answer: "", status: 504, list: "504", reason: "timeout" },
  {
    what: "several",
    upstream: { nodes: { "127.0.0.1:1": 1, "127.0.0.2:1": 1 } },
    status: 502,
    list: "502, 502",
    reason: "refused",
  },
  { what: "no-nodes", upstream: { nodes: {} }, status: 503, reason: "no-nodes" },
  {
    what: "no-name",
    upstream: { nodes: { "none.test:80": 1, "none2.test:80": 1 } },
    status: 503,
    reason: "unresolved",
  },
  {
    what: "no-service",
    upstream: { service_name: "none.test", discovery_type: "dns", type: "roundrobin" },
    status: 503,
    reason: "unresolved",
  },
];

describe.each(MODES)("a request whose upstream fails (%s)", (mode) => {
  let gateway: Gateway;
  let node: Recorder;
  let full: FullListener;
  let greeter: Greeter;
  let dns: DnsServer;

  beforeAll(async () => {
    node = await startRecorder();
    full = await startFullListener();
    greeter = await startGreeter("HTTP/1.1 400 Bad Request\r\n\r\n");
    dns = await new DnsServer().listen();
    const apisix = { dns_resolver: [dns.address], enable_resolv_search_opt: false };
    gateway = await startGateway(mode, { apisix, discovery: { dns: { servers: [dns.address] } } });
    await gateway.admin.put("/global_rules/count", { plugins: { prometheus: {} } });
    for (const { upstream, what } of FAILURES) {
      await gateway.admin.put(`/routes/${what}`, { uri: `/${what}`, upstream: { ...behind(what), ...upstream } });
    }
    await gateway.route({
      own: { uri: "/own", upstream: { nodes: { [`127.0.0.1:${node.port}`]: 1 } } },
      grouped: { uri: "/grouped", plugins: { "key-auth": {} }, upstream: { nodes: { [`127.0.0.1:${node.port}`]: 1 } } },
      nowhere: { uri: "/nowhere", plugins: { "request-id": {} } },
    });
    await gateway.writeRaw("routes/lost", JSON.stringify({ id: "lost", uri: "/lost", upstream_id: "none" }));
    await gateway.writeRaw("consumers/jack", JSON.stringify(JACK));
    await gateway.settle();
  });
  beforeEach(() => node.reset());
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    for (const server of [node, full, greeter, dns]) await server[Symbol.asyncDispose]();
  });

  function behind(what: string): object {
    if (what === "no-service") return {};
    const special: Readonly<Record<string, { readonly port: number }>> = { "connect-time": full, handshake: greeter };
    return { nodes: { [`127.0.0.1:${(special[what] ?? node).port}`]: 1 } };
  }

  async function metrics(): Promise<readonly string[]> {
    const { port } = gateway.dataPlane.address("metrics");
    return (await (await fetch(`http://127.0.0.1:${port}/apisix/prometheus/metrics`)).text()).split("\n");
  }

  /** `fngate_upstream_failures_total` by reason. */
  async function counted(): Promise<Readonly<Record<string, number>>> {
    const lines = (await metrics()).map((line) =>
      /^fngate_upstream_failures_total\{reason="([^"]+)"\} (\d+)$/.exec(line),
    );
    return Object.fromEntries(lines.flatMap((found) => (found === null ? [] : [[found[1], Number(found[2])]])));
  }

  /** Series of `apisix_http_status` of a route. */
  async function statusSeries(route: string): Promise<readonly string[]> {
    return (await metrics()).filter(
      (line) => line.startsWith("apisix_http_status{") && line.includes(`route="${route}"`),
    );
  }

  const ask = (target: string): Promise<RawResponse> => exchange(gateway.port, { target });

  it.each(FAILURES)("is told, counted and logged apart: $what", async ({ answer, list, reason, status, what }) => {
    node.answerWith(
      (_, socket) => void (answer === undefined ? socket.destroy() : answer !== "" && socket.write(answer)),
    );
    const before = await counted();
    const got = await ask(`/${what}`);
    expect(got.status).toBe(status);
    expect(got.body).toBe(`${JSON.stringify({ error_msg: TITLES[status], reason })}\n`);
    expect(valuesOf(got, "content-type")).toEqual(["application/json"]);
    expect(valuesOf(got, "content-length")).toEqual([String(got.body.length)]);
    expect(valuesOf(got, "server").join()).toMatch(/^APISIX/);
    expect(valuesOf(got, "x-apisix-upstream-status")).toEqual(list === undefined ? [] : [list]);
    expect(await counted()).toEqual({ ...before, [reason]: (before[reason] ?? 0) + 1 });
    const source = list === undefined ? "apisix" : "nginx";
    expect(await statusSeries(what)).toEqual([
      expect.stringMatching(`code="${status}".*response_source="${source}".* 1$`),
    ]);
    const line = await eventually(() => gateway.dataPlane.lines.find((one) => one["route"] === what) ?? false);
    expect(line).toMatchObject({ level: "error", msg: "upstream failed", reason });
  });

  it.each([
    { path: "/nowhere", what: "there is no upstream", status: 503 },
    { path: "/grouped", what: "the group of who calls is not there", status: 503 },
    { path: "/lost", what: "the upstream that the route names is not there", status: 502 },
  ])("is $status without an attempt where $what", async ({ path, status }) => {
    const before = await counted();
    const got = await exchange(gateway.port, { target: path, fields: ["apikey: k"] });
    expect(got).toMatchObject({ status, body: `${JSON.stringify({ error_msg: TITLES[status] })}\n` });
    expect(valuesOf(got, "x-apisix-upstream-status")).toEqual([]);
    expect(await counted()).toEqual(before);
  });

  it.each([500, 502, 503, 504])("has the upstream's own %d as it is, and no failure is counted", async (status) => {
    node.answerWith(`HTTP/1.1 ${status} Own Words\r\nContent-Type: text/own\r\nContent-Length: 3\r\n\r\nown`);
    const before = await counted();
    const got = await ask("/own");
    expect(got).toMatchObject({ status, statusLine: `HTTP/1.1 ${status} Own Words`, body: "own" });
    expect(valuesOf(got, "content-type")).toEqual(["text/own"]);
    expect(valuesOf(got, "x-apisix-upstream-status")).toEqual([String(status)]);
    expect(await counted()).toEqual(before);
  });

  it.each([200, 302, 404, 429])("has no list of attempts with the upstream's own %d", async (status) => {
    node.answerWith(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`);
    const got = await ask("/own");
    expect(got.status).toBe(status);
    expect(valuesOf(got, "x-apisix-upstream-status")).toEqual([]);
  });

  it.each([
    { type: "text/plain", got: "text/plain; charset=utf-8" },
    { type: "text/html;charset=latin1", got: "text/html;charset=latin1" },
    { type: "application/json", got: "application/json" },
  ])("has the upstream's own type $type as $got, and a date if it came without", async ({ got, type }) => {
    node.answerWith(`HTTP/1.1 500 X\r\nContent-Type: ${type}\r\nContent-Length: 0\r\n\r\n`);
    const answer = await ask("/own");
    expect(valuesOf(answer, "content-type")).toEqual([got]);
    expect(valuesOf(answer, "date").map((date) => Number.isNaN(Date.parse(date)))).toEqual([false]);
  });

  it("is 499, to those who count, when the client goes first", async () => {
    node.answerWith(() => {});
    const before = await counted();
    await using client = await rawClient(gateway.port);
    client.send(requestText({ target: "/own" }));
    await node.request();
    client.abort();
    await eventually(async () => expect((await statusSeries("own")).join("\n")).toMatch(/code="499"/));
    expect(await counted()).toEqual(before);
  });

  it("has its list at the end of an answer that breaks off, and is counted", async () => {
    node.answerWith((_, socket) => void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
    const before = await counted();
    expect(await ask("/own")).toMatchObject({ status: 200, body: "half" });
    await eventually(async () => expect(await counted()).toEqual({ ...before, reset: (before["reset"] ?? 0) + 1 }));
  });

  it("tells plugins what was tried", async () => {
    const set = Object.fromEntries(
      [
        ...["balancer_ip", "balancer_port", "upstream_addr", "upstream_status", "upstream_scheme"],
        ...["upstream_host", "upstream_uri"],
        "upstream_unresolved_host",
      ].map((name) => [`V-${name.replaceAll("_", "-")}`, `[$${name}]`]),
    );
    const nodes = [
      { host: "127.0.0.9", port: 1, weight: 1, priority: 1 },
      { host: "localhost", port: node.port, weight: 1 },
    ];
    const plugins = {
      "response-rewrite": { headers: { set } },
      "proxy-rewrite": { uri: "/rewritten", host: "p.test" },
    };
    await gateway.route({ tried: { uri: "/tried", upstream: { nodes }, plugins } });
    const got = await ask("/tried?a=1");
    const seen = Object.fromEntries(got.fields.filter(([name]) => name.startsWith("v-")));
    expect(seen).toEqual({
      "v-balancer-ip": "[127.0.0.1]",
      "v-balancer-port": `[${node.port}]`,
      "v-upstream-addr": `[127.0.0.9:1, 127.0.0.1:${node.port}]`,
      "v-upstream-status": "[502, 200]",
      "v-upstream-scheme": "[http]",
      "v-upstream-host": "[p.test]",
      "v-upstream-uri": "[/rewritten?a=1]",
      "v-upstream-unresolved-host": "[localhost]",
    });
  });
});
