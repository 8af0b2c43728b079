import { describe, expect, it } from "vitest";
import { checkValue } from "../check-value.ts";
import { registry } from "./index.ts";

const NO_PLUGINS = new Map<string, never>();
const route = registry.byKind("route");

/** A valid route with the given fields changed; `undefined` removes one. */
function routeWith(fields: Record<string, unknown>): Record<string, unknown> {
  const merged: Record<string, unknown> = { uri: "/a", plugins: {}, ...fields };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}

/** All that the Admin API would say about a value, hooks included. */
function problemOf(value: Record<string, unknown>): string | undefined {
  const early = route.precheck?.(value);
  if (early !== undefined) return early;
  const result = checkValue(route.schema, value);
  if (!result.ok) return `invalid configuration: ${result.message}`;
  return route.check?.(result.value) ?? route.lateCheck?.(result.value, NO_PLUGINS);
}

const SOURCES =
  '["plugins","uri"] or ["upstream","uri"] or ["upstream_id","uri"] or ["service_id","uri"] or ["plugins","uris"] or ["upstream","uris"] or ["upstream_id","uris"] or ["service_id","uris"] or ["script","uri"] or ["script","uris"]';
const HOST = '"^\\\\*$|^\\\\*?[0-9a-zA-Z-._\\\\[\\\\]:]+$"';

const REFUSED: readonly (readonly [fields: Record<string, unknown>, message: string])[] = [
  [{ uri: undefined, plugins: undefined }, "allOf 1 failed: value should match only one schema, but matches none"],
  [{ uris: ["/b"] }, "allOf 1 failed: value should match only one schema, but matches both schemas 1 and 2"],
  [{ plugins: undefined }, `object matches none of the required: ${SOURCES}`],
  [{ script: "0123456789" }, "value wasn't supposed to match schema"],
  [{ plugins: undefined, script: "0123456789", plugin_config_id: "1" }, "value wasn't supposed to match schema"],
  [
    { script: "012345678", plugins: undefined },
    'property "script" validation failed: string too short, expected at least 10, got 9',
  ],
  [{ unknown: 1 }, "additional properties forbidden, found unknown"],
  [{ service_protocol: "grpc" }, "additional properties forbidden, found service_protocol"],
  [{ uri: "" }, 'property "uri" validation failed: string too short, expected at least 1, got 0'],
  [{ uri: "/".repeat(4097) }, 'property "uri" validation failed: string too long, expected at most 4096, got 4097'],
  [{ uri: 1 }, 'property "uri" validation failed: wrong type: expected string, got number'],
  [{ uri: null }, 'property "uri" validation failed: wrong type: expected string, got userdata'],
  [{ uri: undefined, uris: [] }, 'property "uris" validation failed: expect array to have at least 1 items'],
  [{ uri: undefined, uris: {} }, 'property "uris" validation failed: expect array to have at least 1 items'],
  [{ uri: undefined, uris: "/a" }, 'property "uris" validation failed: wrong type: expected array, got string'],
  [{ uri: undefined, uris: { a: "/a" } }, 'property "uris" validation failed: wrong type: expected array, got table'],
  [
    { uri: undefined, uris: ["/a", "/b", "/a"] },
    'property "uris" validation failed: expected unique items but items 1 and 3 are equal',
  ],
  [
    { uri: undefined, uris: ["/a", 1] },
    'property "uris" validation failed: failed to validate item 2: wrong type: expected string, got number',
  ],
  [{ name: "" }, 'property "name" validation failed: string too short, expected at least 1, got 0'],
  [{ name: "n".repeat(257) }, 'property "name" validation failed: string too long, expected at most 256, got 257'],
  [{ name: null }, 'property "name" validation failed: wrong type: expected string, got userdata'],
  [{ desc: "d".repeat(257) }, 'property "desc" validation failed: string too long, expected at most 256, got 257'],
  [{ desc: true }, 'property "desc" validation failed: wrong type: expected string, got boolean'],
  [
    { labels: { env: {} } },
    'property "labels" validation failed: failed to validate env (matching ".*"): wrong type: expected string, got table',
  ],
  [
    { labels: { env: "a b" } },
    'property "labels" validation failed: failed to validate env (matching ".*"): failed to match pattern "^\\\\S+$" with "a b"',
  ],
  [
    { labels: { env: "" } },
    'property "labels" validation failed: failed to validate env (matching ".*"): string too short, expected at least 1, got 0',
  ],
  [{ labels: "env" }, 'property "labels" validation failed: wrong type: expected object, got string'],
  [{ labels: ["env"] }, 'property "labels" validation failed: wrong type: expected object, got table'],
  [{ id: "" }, 'property "id" validation failed: object matches none of the required'],
  [{ id: 0 }, 'property "id" validation failed: object matches none of the required'],
  [{ id: "a b" }, 'property "id" validation failed: object matches none of the required'],
  [{ id: "a/b" }, 'property "id" validation failed: object matches none of the required'],
  [{ id: "i".repeat(65) }, 'property "id" validation failed: object matches none of the required'],
  [{ create_time: "x" }, 'property "create_time" validation failed: wrong type: expected integer, got string'],
  [{ update_time: 1.5 }, 'property "update_time" validation failed: wrong type: expected integer, got number'],
  [{ priority: 1.5 }, 'property "priority" validation failed: wrong type: expected integer, got number'],
  [{ priority: "$env://P" }, 'property "priority" validation failed: wrong type: expected integer, got string'],
  [
    { methods: ["FOO"] },
    'property "methods" validation failed: failed to validate item 1: matches none of the enum values',
  ],
  [
    { methods: ["get"] },
    'property "methods" validation failed: failed to validate item 1: matches none of the enum values',
  ],
  [
    { methods: ["GET", 1] },
    'property "methods" validation failed: failed to validate item 2: wrong type: expected string, got number',
  ],
  [
    { methods: ["GET", "GET"] },
    'property "methods" validation failed: expected unique items but items 1 and 2 are equal',
  ],
  [{ methods: "GET" }, 'property "methods" validation failed: wrong type: expected array, got string'],
  [{ host: "a b" }, `property "host" validation failed: failed to match pattern ${HOST} with "a b"`],
  [{ host: "a,b" }, `property "host" validation failed: failed to match pattern ${HOST} with "a,b"`],
  [{ host: 'a"\\b\n' }, `property "host" validation failed: failed to match pattern ${HOST} with "a\\"\\\\b\\\n"`],
  [{ hosts: [] }, 'property "hosts" validation failed: expect array to have at least 1 items'],
  [
    { hosts: ["a.com", "a.com"] },
    'property "hosts" validation failed: expected unique items but items 1 and 2 are equal',
  ],
  [
    { hosts: ["a.com", "*.*"] },
    `property "hosts" validation failed: failed to validate item 2: failed to match pattern ${HOST} with "*.*"`,
  ],
  [{ remote_addr: "x" }, 'property "remote_addr" validation failed: object matches none of the required'],
  [{ remote_addr: "1.2.3.04" }, 'property "remote_addr" validation failed: object matches none of the required'],
  [{ remote_addr: "1.2.3.4/33" }, 'property "remote_addr" validation failed: object matches none of the required'],
  [{ remote_addr: "fe80::1%eth0" }, 'property "remote_addr" validation failed: object matches none of the required'],
  [{ remote_addr: 1 }, 'property "remote_addr" validation failed: wrong type: expected string, got number'],
  [
    { remote_addrs: ["1.2.3.4", "y"] },
    'property "remote_addrs" validation failed: failed to validate item 2: object matches none of the required',
  ],
  [{ remote_addrs: [] }, 'property "remote_addrs" validation failed: expect array to have at least 1 items'],
  [{ timeout: { connect: 1 } }, 'property "timeout" validation failed: property "send" is required'],
  [{ timeout: { connect: 1, send: 1 } }, 'property "timeout" validation failed: property "read" is required'],
  [
    { timeout: { connect: 0, send: 1, read: 1 } },
    'property "timeout" validation failed: property "connect" validation failed: expected 0 to be greater than 0',
  ],
  [
    { timeout: { connect: 1, send: -0.5, read: 1 } },
    'property "timeout" validation failed: property "send" validation failed: expected -0.5 to be greater than 0',
  ],
  [
    { timeout: { connect: 1, send: 1, read: "1" } },
    'property "timeout" validation failed: property "read" validation failed: wrong type: expected number, got string',
  ],
  [{ timeout: 5 }, 'property "timeout" validation failed: wrong type: expected object, got number'],
  [{ vars: "a" }, 'property "vars" validation failed: wrong type: expected array, got string'],
  [{ vars: { a: 1 } }, 'property "vars" validation failed: wrong type: expected array, got table'],
  [
    { filter_func: "function" },
    'property "filter_func" validation failed: string too short, expected at least 10, got 8',
  ],
  [
    { filter_func: "(function() end)" },
    'property "filter_func" validation failed: failed to match pattern "^function" with "(function() end)"',
  ],
  [{ script_id: "" }, 'property "script_id" validation failed: object matches none of the required'],
  [{ plugins: "x" }, 'property "plugins" validation failed: wrong type: expected object, got string'],
  [{ plugins: ["x"] }, 'property "plugins" validation failed: wrong type: expected object, got table'],
  [{ plugins: null }, 'property "plugins" validation failed: wrong type: expected object, got userdata'],
  [{ plugin_config_id: -1 }, 'property "plugin_config_id" validation failed: object matches none of the required'],
  [{ service_id: 1.5 }, 'property "service_id" validation failed: object matches none of the required'],
  [{ upstream_id: {} }, 'property "upstream_id" validation failed: object matches none of the required'],
  [{ enable_websocket: 1 }, 'property "enable_websocket" validation failed: wrong type: expected boolean, got number'],
  [{ status: 2 }, 'property "status" validation failed: matches none of the enum values'],
  [{ status: "1" }, 'property "status" validation failed: wrong type: expected integer, got string'],
  [{ status: 0.5 }, 'property "status" validation failed: wrong type: expected integer, got number'],
  [{ upstream: {} }, 'property "upstream" validation failed: value should match only one schema, but matches none'],
  [
    { upstream: { nodes: {}, zzz: 1 } },
    'property "upstream" validation failed: additional properties forbidden, found zzz',
  ],
  [
    { upstream: { nodes: {}, checks: {} } },
    'property "upstream" validation failed: property "checks" validation failed: object matches none of the required: ["active"] or ["active","passive"]',
  ],
  [
    { upstream: { nodes: {}, checks: { active: { healthy: { http_statuses: [200, 200] } } } } },
    'property "upstream" validation failed: property "checks" validation failed: property "active" validation failed: property "healthy" validation failed: property "http_statuses" validation failed: expected unique items but items 1 and 2 are equal',
  ],
  [
    { upstream: { nodes: {}, checks: { active: { unhealthy: { http_failures: 3.1 } } } } },
    'property "upstream" validation failed: property "checks" validation failed: property "active" validation failed: property "unhealthy" validation failed: property "http_failures" validation failed: wrong type: expected integer, got number',
  ],
];

describe("route", () => {
  it.each(REFUSED)("refuses %j in APISIX's words", (fields, message) => {
    expect(problemOf(routeWith(fields))).toBe(`invalid configuration: ${message}`);
  });

  it.each([
    [{ host: "a.com", hosts: ["b.com"] }, "only one of host or hosts is allowed"],
    [{ host: null, hosts: 1 }, "only one of host or hosts is allowed"],
    [{ remote_addr: "1.2.3.4", remote_addrs: ["1.2.3.5"] }, "only one of remote_addr or remote_addrs is allowed"],
    [{ host: "a", hosts: ["b"], uri: 1 }, "only one of host or hosts is allowed"],
    [{ upstream: { nodes: { "a:65536": 1 } } }, "invalid port 65536"],
    [{ upstream: { nodes: {}, type: "chash" } }, "missing key"],
    [{ upstream: { nodes: {}, pass_host: "rewrite" } }, "`upstream_host` can't be empty when `pass_host` is `rewrite`"],
  ])("refuses %j by a rule outside the schema", (fields, message) => {
    expect(problemOf(routeWith(fields))).toBe(message);
  });

  it("says what both schemas would say of host and hosts where no rule precedes the schema", () => {
    const result = checkValue(route.schema, routeWith({ host: "a.com", hosts: ["b.com"] }));
    expect(result).toEqual({
      ok: false,
      message: "allOf 2 failed: value should match only one schema, but matches both schemas 1 and 2",
    });
  });

  it.each([
    [[["arg_a", "==", "b"]], undefined],
    [["a", "==", "b"], "failed to validate the 'vars' expression: rule should be wrapped inside brackets"],
    [[["a", "b", "c"]], "failed to validate the 'vars' expression: invalid operator 'b'"],
    [[["a"]], "failed to validate the 'vars' expression: invalid expression"],
    [[["post_arg.a[", "==", 1]], "failed to validate the 'vars' expression: invalid expression near \"[\""],
  ])("compiles the expression %j", (vars, message) => {
    expect(problemOf(routeWith({ vars }))).toBe(message);
  });

  it.each<[Record<string, unknown>]>([
    [{ host: "*" }],
    [{ host: "*.a.com" }],
    [{ host: "*a" }],
    [{ host: "[::1]" }],
    [{ host: "a:80" }],
    [{ host: "$secret://vault/1/a b" }],
    [{ host: "$ENV://HOST NAME" }],
    [{ id: "$env://ID" }],
    [{ id: 7 }],
    [{ id: 1e20 }],
    [{ priority: -5 }],
    [{ priority: 1e3 }],
    [{ methods: [] }],
    [{ methods: {} }],
    [{ methods: ["PURGE", "$env://METHOD"] }],
    [{ labels: [] }],
    [{ plugins: [] }],
    [{ vars: {} }],
    [{ vars: [] }],
    [{ desc: "" }],
    [{ name: "😀".repeat(256) }],
    [{ remote_addr: "10.0.0.0/8" }],
    [{ remote_addr: "::1/129" }],
    [{ remote_addrs: ["::1", "127.0.0.1"] }],
    [{ timeout: { connect: 0.5, send: 1, read: 1, extra: true } }],
    [{ plugins: undefined, service_id: "1" }],
    [{ plugins: undefined, script: "0123456789" }],
    [{ uri: undefined, uris: ["", "/b"] }],
    [{ filter_func: "function(vars) end" }],
    [{ upstream: { nodes: {}, scheme: "$env://SCHEME" } }],
  ])("accepts %j", (fields) => {
    expect(problemOf(routeWith(fields))).toBeUndefined();
  });

  it("fills APISIX's defaults and leaves the input alone", () => {
    const input = Object.freeze({ uri: "/a", plugins: Object.freeze({}) });
    expect(checkValue(route.schema, input)).toEqual({
      ok: true,
      value: { uri: "/a", plugins: {}, priority: 0, status: 1 },
    });
    expect(input).toEqual({ uri: "/a", plugins: {} });
  });
});
