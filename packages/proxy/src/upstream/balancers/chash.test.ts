import { expect, test } from "vitest";
import { compileUpstream } from "../compile-upstream.ts";
import type { UpstreamConfig } from "../upstream-config.ts";
import type { VariableReader } from "./balancer.ts";

const CONNECTIONS = { acquire: (target: never) => ({ target, release: () => undefined }) };

/** The port that a request with these variables goes to. */
function portOf(config: UpstreamConfig, variables: Readonly<Record<string, string>>): number | undefined {
  const upstream = compileUpstream({ type: "chash", ...config }, CONNECTIONS);
  const variable: VariableReader = (name) => variables[name];
  return upstream.pick(undefined, variable)?.port;
}

const EQUAL = { "127.0.0.1:1980": 1, "127.0.0.1:1981": 1, "127.0.0.1:1982": 1 };

// Computed with APISIX's own ring (compat: upstream, chash).
test.each([
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
])("the key %s goes to the node that APISIX sends it to: %d", (key, port) => {
  expect(portOf({ nodes: EQUAL, key: "uri" }, { uri: key })).toBe(port);
});

test.each([
  ["127.0.0.1", 1981],
  ["3", 1980],
  ["user-42", 1980],
])("with weights 1 and 2 the key %s goes to %d", (key, port) => {
  expect(portOf({ nodes: { "127.0.0.1:1980": 1, "127.0.0.1:1981": 2 }, key: "uri" }, { uri: key })).toBe(port);
});

test("weights count in relation to each other only", () => {
  expect(portOf({ nodes: { "127.0.0.1:1980": 50, "127.0.0.1:1981": 100 }, key: "uri" }, { uri: "user-42" })).toBe(1980);
});

test.each([
  { name: "a header", config: { hash_on: "header", key: "X-Session-Id" }, variables: { http_x_session_id: "2" } },
  { name: "a cookie", config: { hash_on: "cookie", key: "Sid" }, variables: { cookie_Sid: "2" } },
  { name: "the consumer", config: { hash_on: "consumer" }, variables: { consumer_name: "2" } },
  { name: "an argument", config: { key: "arg_device-id" }, variables: { "arg_device-id": "2" } },
  {
    name: "a template",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: APISIX's notation for a variable
    config: { hash_on: "vars_combinations", key: "$request_uri-${remote_port}" },
    variables: { request_uri: "user", remote_port: "42" },
    port: 1982,
  },
  { name: "the address where a header is missing", config: { hash_on: "header", key: "x" }, variables: {}, port: 1982 },
  { name: "the address where nobody signed in", config: { hash_on: "consumer" }, variables: {}, port: 1982 },
  {
    name: "the address where a template has no value",
    config: { hash_on: "vars_combinations", key: "a $arg_a $arg_b" },
    variables: {},
    port: 1982,
  },
])("requests are hashed by $name", ({ config, variables, port = 1980 }) => {
  expect(portOf({ nodes: EQUAL, ...config }, { remote_addr: "127.0.0.1", ...variables })).toBe(port);
});

test("an excluded node's keys move to others and no other key moves", () => {
  const upstream = compileUpstream({ type: "chash", key: "uri", nodes: EQUAL }, CONNECTIONS);
  const down = upstream.nodes[1];
  for (let count = 0; count < 500; count += 1) {
    const variable: VariableReader = () => `key ${count}`;
    const usual = upstream.pick(undefined, variable);
    const without = upstream.pick({ has: (node) => node === down }, variable);
    if (usual === down) expect(without).not.toBe(down);
    else expect(without).toBe(usual);
  }
});

test("a taken-out node moves only its own keys", () => {
  const all = compileUpstream({ type: "chash", key: "uri", nodes: EQUAL }, CONNECTIONS);
  const fewer = compileUpstream(
    { type: "chash", key: "uri", nodes: { "127.0.0.1:1980": 1, "127.0.0.1:1982": 1 } },
    CONNECTIONS,
  );
  for (let count = 0; count < 500; count += 1) {
    const variable: VariableReader = () => `key ${count}`;
    const before = all.pick(undefined, variable)?.port;
    if (before !== 1981) expect(fewer.pick(undefined, variable)?.port).toBe(before);
  }
});

test("weights that would need a huge ring are refused", () => {
  expect(() => portOf({ key: "uri", nodes: { "127.0.0.1:1": 1_000_003, "127.0.0.1:2": 1 } }, {})).toThrow(
    expect.objectContaining({ code: "UPSTREAM_INVALID", message: expect.stringContaining("points") }),
  );
});
