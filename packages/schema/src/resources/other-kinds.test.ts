import { describe, expect, it } from "vitest";
import { checkValue } from "../check-value.ts";
import { type Kind, registry } from "./index.ts";

const NO_PLUGINS = new Map<string, never>();
const CERTIFICATE = "c".repeat(128);
const KEY = "k".repeat(64);
const PAIR = { cert: CERTIFICATE, key: KEY };

const REFUSED: readonly (readonly [kind: Kind, value: Record<string, unknown>, message: string])[] = [
  ["service", { host: "a.com" }, "additional properties forbidden, found host"],
  ["service", { status: 1 }, "additional properties forbidden, found status"],
  ["service", { timeout: {} }, "additional properties forbidden, found timeout"],
  ["service", { hosts: [] }, 'property "hosts" validation failed: expect array to have at least 1 items'],
  [
    "service",
    { script: "short" },
    'property "script" validation failed: string too short, expected at least 10, got 5',
  ],
  [
    "service",
    { upstream: {} },
    'property "upstream" validation failed: value should match only one schema, but matches none',
  ],
  ["service", { upstream_id: "" }, 'property "upstream_id" validation failed: object matches none of the required'],
  [
    "service",
    { enable_websocket: "on" },
    'property "enable_websocket" validation failed: wrong type: expected boolean, got string',
  ],
  ["consumer", {}, 'property "username" is required'],
  [
    "consumer",
    { username: "a.b" },
    'property "username" validation failed: failed to match pattern "^[a-zA-Z0-9_\\\\-]+$" with "a.b"',
  ],
  ["consumer", { username: "a", name: "b" }, "additional properties forbidden, found name"],
  [
    "credential",
    { plugins: { a: {}, b: {} } },
    'property "plugins" validation failed: expect object to have at most 1 properties',
  ],
  [
    "credential",
    { id: "a b" },
    'property "id" validation failed: value should match only one schema, but matches none',
  ],
  ["global_rule", { plugins: {} }, 'property "id" is required'],
  ["global_rule", { id: "1" }, 'property "plugins" is required'],
  ["global_rule", { id: "1", plugins: {}, name: "x" }, "additional properties forbidden, found name"],
  ["plugin_config", { id: "1" }, 'property "plugins" is required'],
  [
    "plugin_config",
    { id: "1", plugins: 1 },
    'property "plugins" validation failed: wrong type: expected object, got number',
  ],
  ["consumer_group", { plugins: {} }, 'property "id" is required'],
  [
    "consumer_group",
    { id: "1", name: "", plugins: {} },
    'property "name" validation failed: string too short, expected at least 1, got 0',
  ],
  ["proto", {}, 'property "content" is required'],
  ["proto", { content: "" }, 'property "content" validation failed: string too short, expected at least 1, got 0'],
  ["ssl", {}, "then clause did not match"],
  ["ssl", { ...PAIR, sni: "a.com", snis: ["a.com"] }, "then clause did not match"],
  ["ssl", { type: "client", key: KEY }, "else clause did not match"],
  ["ssl", { ...PAIR, sni: "a.com", name: "x" }, "additional properties forbidden, found name"],
  ["ssl", { ...PAIR, snis: [] }, 'property "snis" validation failed: expect array to have at least 1 items'],
  ["ssl", { ...PAIR, sni: "a.com", client: {} }, 'property "client" validation failed: property "ca" is required'],
  [
    "ssl",
    { ...PAIR, sni: "a.com", ssl_protocols: ["SSLv3"] },
    'property "ssl_protocols" validation failed: failed to validate item 1: matches none of the enum values',
  ],
  ["stream_route", { uri: "/a" }, "additional properties forbidden, found uri"],
  ["stream_route", { server_port: 0 }, 'property "server_port" validation failed: expected 0 to be at least 1'],
  ["stream_route", { protocol: {} }, 'property "protocol" validation failed: property "name" is required'],
  [
    "stream_route",
    { protocol: { name: "redis", logger: [{ name: "syslog" }] } },
    'property "protocol" validation failed: property "logger" validation failed: failed to validate item 1: property "conf" is required when "name" is set',
  ],
];

describe("other kinds", () => {
  it.each(REFUSED)("%s refuses %j in APISIX's words", (kind, value, message) => {
    expect(checkValue(registry.byKind(kind).schema, value)).toEqual({ ok: false, message });
  });

  it.each<[Kind, Record<string, unknown>]>([
    ["service", {}],
    ["service", { upstream: { nodes: {} }, hosts: ["*.a.com"], plugins: {} }],
    ["consumer", { username: "jack-1_X", group_id: "g", plugins: {}, id: 5 }],
    ["credential", {}],
    ["credential", { id: "c1", name: "n", plugins: { "key-auth": {} } }],
    ["credential", { id: "jack/credentials/c1" }],
    ["global_rule", { id: "1", plugins: {} }],
    ["plugin_config", { id: "1", name: "", plugins: {} }],
    ["consumer_group", { id: 1, plugins: {} }],
    ["plugin_metadata", { id: "openfunction", anything: { goes: true } }],
    ["proto", { content: "syntax" }],
    ["ssl", { ...PAIR, sni: "a.com" }],
    ["ssl", { ...PAIR, snis: ["a.com", "a.com"], client: { ca: CERTIFICATE, extra: 1 } }],
    ["ssl", { ...PAIR, type: "client" }],
    ["stream_route", {}],
    ["stream_route", { remote_addr: "::1", protocol: { name: "redis", more: 1, logger: [{ name: "a", conf: {} }] } }],
    ["secret", { id: "vault/1", anything: 1 }],
    ["graphql_cost_decoration", { field_path: "Query.products.nodes", add_arguments: ["first"], mul_value: 0.5 }],
  ])("%s accepts %j", (kind, value) => {
    expect(checkValue(registry.byKind(kind).schema, value)).toMatchObject({ ok: true });
  });

  it.each([
    [{ remote_addr: ":/8" }, "invalid remote_addr: :/8"],
    [{ server_addr: "::1/129" }, "invalid server_addr: ::1/129"],
    [{ remote_addr: "::1/128", server_addr: "10.0.0.0/8" }, undefined],
    [{ remote_addr: "127.0.0.1", server_addr: "$env://ADDRESS" }, undefined],
    [{}, undefined],
  ])("looks at the addresses of a stream route again: %j", (value, message) => {
    const { schema, lateCheck } = registry.byKind("stream_route");
    const result = checkValue(schema, value);
    expect(result.ok && lateCheck?.(result.value, NO_PLUGINS)).toBe(message);
  });

  it("checks the upstream inside a service beyond its schema", () => {
    const { schema, check } = registry.byKind("service");
    const result = checkValue(schema, { upstream: { nodes: { "a:0": 1 } } });
    expect(result.ok && check?.(result.value)).toBe("invalid port 0");
    const none = checkValue(schema, {});
    expect(none.ok && check?.(none.value)).toBeUndefined();
  });

  it.each([
    ["vault/1", {}, 'property "uri" is required'],
    ["vault/1", { uri: "http://a", token: "t" }, 'property "prefix" is required'],
    ["aws/1", { access_key_id: "a" }, 'property "secret_access_key" is required'],
    ["gcp/1", {}, "value should match only one schema, but matches none"],
    [
      "gcp/1",
      { auth_config: { client_email: "a", private_key: "b" } },
      'property "auth_config" validation failed: property "project_id" is required',
    ],
  ])("checks the secret %s by its manager", (id, value, message) => {
    const schema = registry.byKind("secret").schemaFor?.(id, NO_PLUGINS);
    expect(schema && checkValue(schema, value)).toEqual({ ok: false, message });
  });

  it("knows no schema for secrets of other managers", () => {
    expect(registry.byKind("secret").schemaFor?.("nope/1", NO_PLUGINS)).toBeUndefined();
  });

  it.each([
    [{ certs: [CERTIFICATE] }, "mismatched number of certs and keys"],
    [{}, "failed to parse cert: PEM_read_bio_X509_AUX() failed"],
    [
      { cert: "$env://CERT", certs: [CERTIFICATE], keys: [KEY] },
      "failed to handle cert-key pair[1]: failed to parse cert: PEM_read_bio_X509_AUX() failed",
    ],
    [
      { cert: "$env://CERT", client: { ca: CERTIFICATE } },
      "failed to validate client_cert: failed to parse cert: PEM_read_bio_X509_AUX() failed",
    ],
    [{ cert: "$env://CERT", client: { ca: "$env://CA" } }, undefined],
    [{ cert: "$env://CERT", type: "client", certs: [CERTIFICATE] }, undefined],
  ])("reads the certificates of an ssl object with %j", (fields, message) => {
    const { schema, check } = registry.byKind("ssl");
    const result = checkValue(schema, {
      ...PAIR,
      sni: "a.com",
      ...(message?.startsWith("mismatched") ? { cert: "$env://C" } : {}),
      ...fields,
    });
    expect(result.ok && check?.(result.value)).toBe(message);
  });
});

describe("registry", () => {
  it("finds kinds by name and by path", () => {
    expect(registry.byKind("route").plural).toBe("routes");
    expect(registry.byPlural("routes")).toBe(registry.byKind("route"));
    expect(registry.byPlural("nope")).toBeUndefined();
    const unknown: string = "nope";
    expect(registry.byKind(unknown)).toBeUndefined();
  });

  it("lists the kinds in the order in which users of an object are looked for", () => {
    expect(registry.all().map(({ kind }) => kind)).toEqual([
      "route",
      "service",
      "upstream",
      "plugin_config",
      "consumer",
      "credential",
      "consumer_group",
      "global_rule",
      "plugin_metadata",
      "ssl",
      "proto",
      "stream_route",
      "secret",
      "graphql_cost_decoration",
    ]);
    expect(registry.byPlural("consumers")).toBe(registry.byKind("consumer"));
  });

  it("names only known kinds in references", () => {
    const targets = registry.all().flatMap(({ references }) => references.map(({ kind }) => kind));
    for (const target of targets) expect(registry.byKind(target)).toBeDefined();
  });

  it("words the refusals that differ from the usual", () => {
    expect(registry.byKind("service").inUseMessage?.({ kind: "route", id: "1" })).toBe(
      "can not delete this service directly, route [1] is still using it now",
    );
    const superior = registry.byKind("stream_route").references.find(({ kind }) => kind === "stream_route");
    expect(superior?.missing?.("999")).toBe("failed to fetch stream routes[999], response code: 404");
  });
});
