import { type EchoUpstream, startEchoUpstream } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { exchange } from "../support/raw-client.ts";
import { type RawResponse, valuesOf } from "../support/raw-response.ts";

/** Tells which node was asked, whether it answered or not. */
const ASKED = { "response-rewrite": { headers: { set: { "X-Asked": "$upstream_addr" } } } };

const IPV6_WORDS = "IPv6 address must be enclosed with '[' and ']'";

const REWRITE_WORDS = "`upstream_host` can't be empty when `pass_host` is `rewrite`";

const NODES = { "127.0.0.1:80": 1 };

describe.each(MODES)("the nodes of an upstream (%s)", (mode) => {
  let gateway: Gateway;
  let one: EchoUpstream;
  let two: EchoUpstream;
  let six: EchoUpstream;

  beforeAll(async () => {
    one = await startEchoUpstream({ reply: { body: "one" } });
    two = await startEchoUpstream({ reply: { body: "two" } });
    six = await startEchoUpstream({ host: "::1" });
    gateway = await startGateway(mode);
    const both = (weights: readonly [number, number]) => [item(one, weights[0]), item(two, weights[1])];
    const route = (id: string, upstream: object) => [id, { uri: `/${id}`, upstream, plugins: ASKED }] as const;
    await gateway.route(
      Object.fromEntries([
        route("zeros", { nodes: both([0, 0]) }),
        route("zero", { nodes: both([0, 3]) }),
        route("repeated", { nodes: [item(one, 5), item(two, 1), item(one, 0)] }),
        route("six-map", { nodes: { [`[::1]:${six.port}`]: 1 }, pass_host: "node" }),
        route("six-list", { nodes: [{ host: "[::1]", port: six.port, weight: 1 }], pass_host: "node" }),
        route("port-in-host", { nodes: [{ host: `127.0.0.1:${one.port}`, weight: 1 }] }),
        route("metadata", { nodes: [{ ...item(one, 1), metadata: { zone: { any: [1] } } }] }),
        route("by-name", { nodes: { [`localhost:${one.port}`]: 1 } }),
        route("empty-map", { nodes: {} }),
        route("empty-list", { nodes: [] }),
        ...["http", "https"].map((scheme) => route(`plain-${scheme}`, { scheme, nodes: { "127.0.0.9": 1 } })),
        route("listed-http", { nodes: [{ host: "127.0.0.9", weight: 1 }] }),
        ...["grpc", "grpcs"].map((scheme) => route(`plain-${scheme}`, { scheme, nodes: { "127.0.0.9": 1 } })),
        route("bare-six", { nodes: { "::1": 1 } }),
        route("six-https", { scheme: "https", nodes: { "[::1]": 1 } }),
      ]),
    );
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    for (const echo of [one, two, six]) await echo[Symbol.asyncDispose]();
  });

  async function ask(path: string): Promise<RawResponse> {
    return exchange(gateway.port, { target: path });
  }

  async function bodies(path: string, count: number): Promise<string> {
    const seen: string[] = [];
    for (let call = 0; call < count; call += 1) seen.push((await ask(path)).body);
    return seen.sort().join(" ");
  }

  it.each([
    { path: "/zeros", what: "are used evenly when all weights are 0", seen: "one one two two" },
    { path: "/zero", what: "are not used with weight 0 while others have one", seen: "two two two two" },
    { path: "/repeated", what: "count once when listed twice, with the last weight", seen: "two two two two" },
    { path: "/port-in-host", what: "may have their port in their host", seen: "one one one one" },
    { path: "/metadata", what: "may have metadata, which means nothing", seen: "one one one one" },
    { path: "/by-name", what: "may be names of the hosts file", seen: "one one one one" },
  ])("$what", async ({ path, seen }) => {
    expect(await bodies(path, 4)).toBe(seen);
  });

  it.each(["/six-map", "/six-list"])("may be addresses of IPv6 (%s), which are named in brackets", async (path) => {
    const before = six.requests.length;
    const got = await ask(path);
    expect(got.status).toBe(200);
    expect(valuesOf(got, "x-asked")).toEqual([`[::1]:${six.port}`]);
    expect((await six.request(before + 1)).headers.host).toBe(`[::1]:${six.port}`);
  });

  it.each([
    { path: "/plain-http", node: "127.0.0.9:80" },
    { path: "/listed-http", node: "127.0.0.9:80" },
    { path: "/plain-https", node: "127.0.0.9:443" },
    { path: "/plain-grpc", node: "127.0.0.9:80" },
    { path: "/plain-grpcs", node: "127.0.0.9:443" },
    { path: "/bare-six", node: "[::1]:80" },
    { path: "/six-https", node: "[::1]:443" },
  ])("without a port have that of the scheme: $path goes to $node", async ({ node, path }) => {
    expect(valuesOf(await ask(path), "x-asked")).toEqual([node]);
  });

  it.each(["/empty-map", "/empty-list"])("may be none (%s): then requests get 503", async (path) => {
    const got = await ask(path);
    expect(got.status).toBe(503);
    expect(JSON.parse(got.body)).toEqual({ error_msg: "503 Service Temporarily Unavailable", reason: "no-nodes" });
    expect(valuesOf(got, "x-apisix-upstream-status")).toEqual([]);
  });

  it.each([
    { what: "a port of 0 in a map", nodes: { "127.0.0.1:0": 1 }, words: "invalid port 0" },
    { what: "a port beyond 65535 in a map", nodes: { "127.0.0.1:65536": 1 }, words: "invalid port 65536" },
    { what: "a port of 0 in a list", nodes: [{ host: "127.0.0.1", port: 0, weight: 1 }], words: "nodes" },
    { what: "an IPv6 address without brackets", nodes: [{ host: "::1", port: 80, weight: 1 }], words: IPV6_WORDS },
    { what: "a negative weight", nodes: { "127.0.0.1:80": -1 }, words: "nodes" },
    { what: "no weight", nodes: [{ host: "127.0.0.1", port: 80 }], words: "nodes" },
  ])("are refused with $what", async ({ nodes, words }) => {
    const answer = await gateway.admin.send("PUT", "/upstreams/refused", { nodes });
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining(words) });
  });

  it.each([
    { what: "no nodes and no service", upstream: { type: "roundrobin" } },
    { what: "both", upstream: { nodes: NODES, service_name: "a", discovery_type: "dns" } },
    { what: "a field that it does not have", upstream: { nodes: NODES, weight: 1 }, words: "additional properties" },
    { what: "no key to hash by", upstream: { nodes: NODES, type: "chash" }, words: "missing key" },
    { what: "a variable that nothing is hashed by", upstream: { nodes: NODES, type: "chash", key: "status" } },
    { what: "a header's name that is none", upstream: { nodes: NODES, type: "chash", hash_on: "header", key: "a b" } },
    { what: "no host to rewrite to", upstream: { nodes: NODES, pass_host: "rewrite" }, words: REWRITE_WORDS },
    { what: "a scheme that is none", upstream: { nodes: NODES, scheme: "ftp" }, words: "scheme" },
    { what: "a negative number of retries", upstream: { nodes: NODES, retries: -1 }, words: "retries" },
    { what: "a part of the time limits", upstream: { nodes: NODES, timeout: { read: 1 } }, words: "timeout" },
    {
      what: "a time limit of 0",
      upstream: { nodes: NODES, timeout: { connect: 1, send: 1, read: 0 } },
      words: "timeout",
    },
    {
      what: "a pool of no connection",
      upstream: { nodes: NODES, keepalive_pool: { size: 0 } },
      words: "keepalive_pool",
    },
    {
      what: "half of a client certificate",
      upstream: { nodes: NODES, tls: { client_cert: "c".repeat(200) } },
      words: "tls",
    },
  ])("come in no upstream with $what", async ({ upstream, words = "invalid configuration" }) => {
    const answer = await gateway.admin.send("PUT", "/upstreams/refused", upstream);
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining(words) });
  });

  it("may be IPv6 addresses without brackets where a configuration did not come through the Admin API", async () => {
    const upstream = { type: "roundrobin", nodes: [{ host: "::1", port: six.port, weight: 1 }] };
    await gateway.writeRaw("routes/bare", JSON.stringify({ id: "bare", uri: "/bare", plugins: ASKED, upstream }));
    await gateway.settle();
    expect(valuesOf(await ask("/bare"), "x-asked")).toEqual([`[::1]:${six.port}`]);
  });
});

function item({ port }: EchoUpstream, weight: number) {
  return { host: "127.0.0.1", port, weight };
}
