import { hostname } from "node:os";
import { type EchoUpstream, startEchoUpstream } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { nodeOfKey, nodesOfKey } from "../support/hash-ring.ts";
import { exchange, type RawRequest } from "../support/raw-client.ts";
import { valuesOf } from "../support/raw-response.ts";

/** The nodes of the vectors. Whether anything listens there does not matter: the gateway says whom it asked. */
const EQUAL = { "127.0.0.1:1980": 1, "127.0.0.1:1981": 1, "127.0.0.1:1982": 1 };
const UNEQUAL = { "127.0.0.1:1980": 1, "127.0.0.1:1981": 2 };

/** Computed with APISIX's own ring (compat: upstream, chash). */
const VECTORS = [
  ["127.0.0.1", 1982],
  ["/server_port", 1980],
  ["/hello", 1981],
  ["hello", 1980],
  ["1", 1982],
  ["2", 1980],
  ["3", 1980],
  ["4", 1981],
  ["5", 1981],
  ["user-42", 1982],
] as const;

const WEIGHTED_VECTORS = [
  ["127.0.0.1", 1981],
  ["3", 1980],
  ["user-42", 1980],
] as const;

/** Nodes that refuse connections. */
const DEAD = { "127.0.0.1:1": 1, "127.0.0.2:1": 1, "127.0.0.3:1": 2 };

const WALK = { "response-rewrite": { headers: { set: { "X-Walk": "$upstream_addr" } } } };

const ASKED = { "response-rewrite": { headers: { set: { "X-Asked": "$balancer_ip:$balancer_port" } } } };

describe.each(MODES)("consistent hashing (%s)", (mode) => {
  let gateway: Gateway;
  const echoes: EchoUpstream[] = [];

  beforeAll(async () => {
    for (let count = 0; count < 3; count += 1) echoes.push(await startEchoUpstream());
    gateway = await startGateway(mode);
    await gateway.admin.put("/consumers", { username: "user_42", plugins: { "key-auth": { key: "k" } } });
    const hashed = (id: string, by: object, more: object = {}) => {
      const upstream = { type: "chash", retries: 0, nodes: EQUAL, timeout: SHORT, ...by };
      return [id, { uri: `/${id}*`, plugins: ASKED, upstream, ...more }] as const;
    };
    const templated = (key: string) => ({ hash_on: "vars_combinations", key });
    await gateway.route(
      Object.fromEntries([
        [
          "vector-uris",
          { uris: ["/server_port", "/hello"], plugins: ASKED, upstream: hashed("", { key: "uri" })[1].upstream },
        ],
        hashed("header", { hash_on: "header", key: "X-Session-Id" }),
        hashed("weighted", { hash_on: "header", key: "x-session-id", nodes: UNEQUAL }),
        hashed("multiples", { hash_on: "header", key: "x-session-id", nodes: multiplied(UNEQUAL, 50) }),
        hashed("cookie", { hash_on: "cookie", key: "Sid" }),
        hashed("consumer", { hash_on: "consumer" }, { plugins: { ...ASKED, "key-auth": {}, cors: {} } }),
        hashed("nobody", { hash_on: "consumer" }),
        ...VARIABLES.map(({ key }) => hashed(`vars-${key}`, { key })),
        hashed("absent", { key: "arg_absent" }),
        hashed("bare", templated("$arg_a-$arg_b")),
        // biome-ignore lint/suspicious/noTemplateCurlyInString: APISIX's notation for a variable
        hashed("braced", templated("${request_uri}|${http_x_a}")),
        hashed("constant", templated("a $arg_none")),
        hashed("walking", { hash_on: "header", key: "x-session-id", retries: 2, nodes: DEAD }, { plugins: WALK }),
        hashed("truth", { hash_on: "header", key: "x-session-id", nodes: ownNodes() }),
      ]),
    );
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    for (const echo of echoes) await echo[Symbol.asyncDispose]();
  });

  function ownNodes(): Readonly<Record<string, number>> {
    return Object.fromEntries(echoes.map(({ port }) => [`127.0.0.1:${port}`, 1]));
  }

  /** Port of the node that a request went to. */
  async function asked(request: RawRequest): Promise<number> {
    const [node = ""] = valuesOf(await exchange(gateway.port, request), "x-asked");
    return Number(node.split(":")[1]);
  }

  it("says truly whom it asked", async () => {
    for (let count = 0; count < 10; count += 1) {
      const port = await asked({ target: "/truth", fields: [`X-Session-Id: ${count}`] });
      expect(`127.0.0.1:${port}`).toBe(nodeOfKey(ownNodes(), String(count)));
      expect(echoes.find((echo) => echo.port === port)?.requests.at(-1)?.headers["x-session-id"]).toBe(String(count));
    }
  });

  it.each(VECTORS)("sends the key %s where APISIX sends it, to %d", async (key, port) => {
    expect(nodeOfKey(EQUAL, key)).toBe(`127.0.0.1:${port}`);
    expect(await asked({ target: "/header", fields: [`X-SESSION-ID: ${key}`] })).toBe(port);
    if (key.startsWith("/")) expect(await asked({ target: key })).toBe(port);
  });

  it.each(WEIGHTED_VECTORS)("sends the key %s to %d under weights 1 and 2, and their multiples", async (key, port) => {
    const fields = [`X-Session-Id: ${key}`];
    expect(await asked({ target: "/weighted", fields })).toBe(port);
    expect(await asked({ target: "/multiples", fields })).toBe(port);
  });

  it.each(VARIABLES)("goes by the variable $key", async ({ fields = [], key, text, query = "" }) => {
    const target = `/vars-${key}${query}`;
    expect(`127.0.0.1:${await asked({ target, fields })}`).toBe(nodeOfKey(EQUAL, text(target)));
  });

  it("goes by the client's port", async () => {
    await gateway.route({
      port: {
        uri: "/port",
        plugins: SHOWN_PORT,
        upstream: { type: "chash", key: "remote_port", retries: 0, nodes: EQUAL },
      },
    });
    for (let count = 0; count < 4; count += 1) {
      const got = await exchange(gateway.port, { target: "/port" });
      const [node = "", key = ""] = [...valuesOf(got, "x-asked"), ...valuesOf(got, "x-port")];
      expect(node).toBe(nodeOfKey(EQUAL, key));
    }
  });

  it.each(["1", "2", "3", "user-42"])("walks on along the ring where the nodes of %s fail", async (key) => {
    const got = await exchange(gateway.port, { target: "/walking", fields: [`X-Session-Id: ${key}`] });
    expect(valuesOf(got, "x-walk")).toEqual([nodesOfKey(DEAD, key).join(", ")]);
  });

  it("goes by a cookie, whose name has a case", async () => {
    expect(await asked({ target: "/cookie", fields: ["Cookie: sid=4; Sid=user-42; x=5"] })).toBe(1982);
    expect(await asked({ target: "/cookie", fields: ["Cookie: a=b; Sid=5"] })).toBe(1981);
  });

  it("goes by the name of who calls", async () => {
    const port = await asked({ target: "/consumer", fields: ["apikey: k"] });
    expect(`127.0.0.1:${port}`).toBe(nodeOfKey(EQUAL, "user_42"));
  });

  it.each([
    { target: "/bare?a=user&b=42", fields: [], text: "user-42" },
    { target: "/bare?b=42", fields: [], text: "-42" },
    { target: "/braced?x=1", fields: ["X-A: 7"], text: "/braced?x=1|7" },
  ])("goes by a template's text: $text", async ({ fields, target, text }) => {
    expect(`127.0.0.1:${await asked({ target, fields })}`).toBe(nodeOfKey(EQUAL, text));
  });

  it.each(["/header", "/cookie", "/nobody", "/absent", "/bare", "/constant"])(
    "goes by the client's address where %s has nothing to go by",
    async (target) => {
      expect(await asked({ target })).toBe(1982);
      const port = await asked({ target, fields: ["X-Real-IP: 192.0.2.7"] });
      expect(`127.0.0.1:${port}`).toBe(nodeOfKey(EQUAL, "192.0.2.7"));
    },
  );
});

const SHORT = { connect: 5, send: 5, read: 5 };

const SHOWN_PORT = {
  "response-rewrite": { headers: { set: { "X-Asked": "$balancer_ip:$balancer_port", "X-Port": "$remote_port" } } },
};

interface VariableRow {
  readonly key: string;
  readonly text: (target: string) => string;
  readonly query?: string;
  readonly fields?: readonly string[];
}

/** The variables that `hash_on: vars` may name and whose values a client can tell. */
const VARIABLES: readonly VariableRow[] = [
  { key: "uri", query: "?a=1", text: (target) => target.replace("?a=1", "") },
  { key: "request_uri", query: "?a=1", text: (target) => target },
  { key: "query_string", query: "?a=1&b=2", text: () => "a=1&b=2" },
  { key: "remote_addr", text: () => "127.0.0.1" },
  { key: "server_addr", text: () => "127.0.0.1" },
  { key: "server_name", text: () => "_" },
  { key: "host", fields: ["Host: Some.Test:81"], text: () => "some.test" },
  { key: "hostname", text: () => hostname() },
  { key: "arg_device-id", query: "?device-id=user-42", text: () => "user-42" },
  { key: "mqtt_client_id", text: () => "127.0.0.1" },
];

function multiplied(weights: Readonly<Record<string, number>>, factor: number): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(weights).map(([node, weight]) => [node, weight * factor]));
}
