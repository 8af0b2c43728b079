import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { checkValue } from "../check-value.ts";
import { registry } from "./index.ts";

const NO_PLUGINS = new Map<string, never>();
const upstream = registry.byKind("upstream");

/** All that the Admin API would say about a value, hooks included. */
function problemOf(value: Record<string, unknown>): string | undefined {
  const early = upstream.precheck?.(value);
  if (early !== undefined) return early;
  const result = checkValue(upstream.schema, value);
  if (!result.ok) return `invalid configuration: ${result.message}`;
  return upstream.check?.(result.value) ?? upstream.lateCheck?.(result.value, NO_PLUGINS);
}

const CERTIFICATE = "c".repeat(128);
const KEY = "k".repeat(64);
/** A self-signed certificate of no use beyond being well formed. */
const SELF_SIGNED = `-----BEGIN CERTIFICATE-----
MIIBhDCCASmgAwIBAgIUV2c2X5MMoM1rJLaRel1Te/9HIfswCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLZm5nYXRlLnRlc3QwIBcNMjYxMTIzMDg0MjM0WhgPMjEyNjEw
MzAwODQyMzRaMBYxFDASBgNVBAMMC2ZuZ2F0ZS50ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEiQz9YeMf9nLq4ywoknr9M46SaIDjeuwaag/fWGV7JctVfuRM
Rm+eVvePUybhy9FK9l9StfvgGNpy0exSOLKxTKNTMFEwHQYDVR0OBBYEFMO+V1I3
iGYS9MrHEfwjRzM9zZdxMB8GA1UdIwQYMBaAFMO+V1I3iGYS9MrHEfwjRzM9zZdx
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAOvyO1/rzIVElz1z
HFRkNGnt3t7jbWZxWpPl9h66d6BFAiEA+T7ytXzPk8zoWqry6b1Vb1wqO46BSi5M
dc7D51cLnBY=
-----END CERTIFICATE-----
`;
const ACTIVE = 'property "checks" validation failed: property "active" validation failed: ';
const PASSIVE = 'property "checks" validation failed: property "passive" validation failed: ';
const BAD_NODES = 'property "nodes" validation failed: object matches none of the required';

const REFUSED: readonly (readonly [value: Record<string, unknown>, message: string])[] = [
  [{}, "value should match only one schema, but matches none"],
  [{ service_name: "x" }, "value should match only one schema, but matches none"],
  [{ discovery_type: "dns" }, "value should match only one schema, but matches none"],
  [
    { nodes: {}, service_name: "x", discovery_type: "dns" },
    "value should match only one schema, but matches both schemas 1 and 2",
  ],
  [{ nodes: {}, foo: 1 }, "additional properties forbidden, found foo"],
  [{ nodes: {}, foo: 1, service_name: "x", discovery_type: "dns" }, "additional properties forbidden, found foo"],
  [{ nodes: { "a:80": -1 } }, BAD_NODES],
  [{ nodes: { "a:80": 1.5 } }, BAD_NODES],
  [{ nodes: { "a:80": "1" } }, BAD_NODES],
  [{ nodes: [{ host: "a", port: 0, weight: 1 }] }, BAD_NODES],
  [{ nodes: [{ host: "a", port: 65_536, weight: 1 }] }, BAD_NODES],
  [{ nodes: [{ host: "a", port: 80 }] }, BAD_NODES],
  [{ nodes: [{ port: 80, weight: 1 }] }, BAD_NODES],
  [{ nodes: [{ host: "a b", weight: 1 }] }, BAD_NODES],
  [{ nodes: [{ host: "a", weight: 1, priority: 0.5 }] }, BAD_NODES],
  [{ nodes: [{ host: "a", weight: 1, metadata: 1 }] }, BAD_NODES],
  [{ nodes: null }, BAD_NODES],
  [{ nodes: "a:80" }, BAD_NODES],
  [{ nodes: {}, retries: -1 }, 'property "retries" validation failed: expected -1 to be at least 0'],
  [{ nodes: {}, retries: -1e20 }, 'property "retries" validation failed: expected -1e+20 to be at least 0'],
  [{ nodes: {}, retries: 1.5 }, 'property "retries" validation failed: wrong type: expected integer, got number'],
  [{ nodes: {}, retry_timeout: -0.5 }, 'property "retry_timeout" validation failed: expected -0.5 to be at least 0'],
  [
    { nodes: {}, retry_timeout: "1" },
    'property "retry_timeout" validation failed: wrong type: expected number, got string',
  ],
  [{ nodes: {}, timeout: {} }, 'property "timeout" validation failed: property "connect" is required'],
  [{ nodes: {}, timeout: [] }, 'property "timeout" validation failed: property "connect" is required'],
  [{ nodes: {}, type: 1 }, 'property "type" validation failed: wrong type: expected string, got number'],
  [{ nodes: {}, hash_on: "body" }, 'property "hash_on" validation failed: matches none of the enum values'],
  [{ nodes: {}, hash_on: 1 }, 'property "hash_on" validation failed: wrong type: expected string, got number'],
  [{ nodes: {}, key: {} }, 'property "key" validation failed: wrong type: expected string, got table'],
  [{ nodes: {}, scheme: "ftp" }, 'property "scheme" validation failed: matches none of the enum values'],
  [{ nodes: {}, scheme: 1 }, 'property "scheme" validation failed: matches none of the enum values'],
  [{ nodes: {}, scheme: null }, 'property "scheme" validation failed: matches none of the enum values'],
  [{ nodes: {}, pass_host: "keep" }, 'property "pass_host" validation failed: matches none of the enum values'],
  [
    { nodes: {}, upstream_host: "a b" },
    'property "upstream_host" validation failed: failed to match pattern "^\\\\*$|^\\\\*?[0-9a-zA-Z-._\\\\[\\\\]:]+$" with "a b"',
  ],
  [
    { service_name: "", discovery_type: "dns" },
    'property "service_name" validation failed: string too short, expected at least 1, got 0',
  ],
  [
    { service_name: "s".repeat(257), discovery_type: "dns" },
    'property "service_name" validation failed: string too long, expected at most 256, got 257',
  ],
  [
    { service_name: "x", discovery_type: "dns", discovery_args: { group_name: 1 } },
    'property "discovery_args" validation failed: property "group_name" validation failed: wrong type: expected string, got number',
  ],
  [
    { nodes: {}, keepalive_pool: { size: 0 } },
    'property "keepalive_pool" validation failed: property "size" validation failed: expected 0 to be at least 1',
  ],
  [
    { nodes: {}, keepalive_pool: { idle_timeout: -1 } },
    'property "keepalive_pool" validation failed: property "idle_timeout" validation failed: expected -1 to be at least 0',
  ],
  [
    { nodes: {}, keepalive_pool: { requests: "1" } },
    'property "keepalive_pool" validation failed: property "requests" validation failed: wrong type: expected integer, got string',
  ],
  [
    { nodes: {}, tls: { client_key: KEY } },
    'property "tls" validation failed: failed to validate dependent schema for "client_key": property "client_cert" is required',
  ],
  [
    { nodes: {}, tls: { client_cert: CERTIFICATE } },
    'property "tls" validation failed: failed to validate dependent schema for "client_cert": property "client_key" is required',
  ],
  [
    { nodes: {}, tls: { client_cert: CERTIFICATE, client_key: KEY, client_cert_id: "1" } },
    'property "tls" validation failed: failed to validate dependent schema for "client_cert_id": value wasn\'t supposed to match schema',
  ],
  [
    { nodes: {}, tls: { client_cert: "short", client_key: KEY } },
    'property "tls" validation failed: property "client_cert" validation failed: string too short, expected at least 128, got 5',
  ],
  [
    { nodes: {}, tls: { verify: "yes" } },
    'property "tls" validation failed: property "verify" validation failed: wrong type: expected boolean, got string',
  ],
  [
    { nodes: {}, checks: {} },
    'property "checks" validation failed: object matches none of the required: ["active"] or ["active","passive"]',
  ],
  [
    { nodes: {}, checks: { passive: {} } },
    'property "checks" validation failed: object matches none of the required: ["active"] or ["active","passive"]',
  ],
  [
    { nodes: {}, checks: { active: {}, extra: 1 } },
    'property "checks" validation failed: additional properties forbidden, found extra',
  ],
  [
    { nodes: {}, checks: { active: { type: "udp" } } },
    `${ACTIVE}property "type" validation failed: matches none of the enum values`,
  ],
  [
    { nodes: {}, checks: { active: { port: 70_000 } } },
    `${ACTIVE}property "port" validation failed: expected 70000 to be at most 65535`,
  ],
  [
    { nodes: {}, checks: { active: { req_headers: [] } } },
    `${ACTIVE}property "req_headers" validation failed: expect array to have at least 1 items`,
  ],
  [
    { nodes: {}, checks: { active: { concurrency: 1.5 } } },
    `${ACTIVE}property "concurrency" validation failed: wrong type: expected integer, got number`,
  ],
  [
    { nodes: {}, checks: { active: { healthy: { interval: 0 } } } },
    `${ACTIVE}property "healthy" validation failed: property "interval" validation failed: expected 0 to be at least 1`,
  ],
  [
    { nodes: {}, checks: { active: { healthy: { http_statuses: [200, 600] } } } },
    `${ACTIVE}property "healthy" validation failed: property "http_statuses" validation failed: failed to validate item 2: expected 600 to be at most 599`,
  ],
  [
    { nodes: {}, checks: { active: { healthy: { http_statuses: [] } } } },
    `${ACTIVE}property "healthy" validation failed: property "http_statuses" validation failed: expect array to have at least 1 items`,
  ],
  [
    { nodes: {}, checks: { active: { unhealthy: { timeouts: 0 } } } },
    `${ACTIVE}property "unhealthy" validation failed: property "timeouts" validation failed: expected 0 to be at least 1`,
  ],
  [
    { nodes: {}, checks: { active: {}, passive: { unhealthy: { timeouts: 255 } } } },
    `${PASSIVE}property "unhealthy" validation failed: property "timeouts" validation failed: expected 255 to be at most 254`,
  ],
  [
    { nodes: {}, checks: { active: {}, passive: { healthy: { successes: -1 } } } },
    `${PASSIVE}property "healthy" validation failed: property "successes" validation failed: expected -1 to be at least 0`,
  ],
];

const HASH_VARIABLE =
  "^((uri|server_name|server_addr|request_uri|remote_port|remote_addr|query_string|host|hostname|mqtt_client_id)|arg_[0-9a-zA-z_-]+)$";

const REFUSED_BEYOND_SCHEMA: readonly (readonly [value: Record<string, unknown>, message: string])[] = [
  [{ nodes: { "127.0.0.1:65536": 1 } }, "invalid port 65536"],
  [{ nodes: { "127.0.0.1:80": 1, "[::1]:0": 1 } }, "invalid port 0"],
  [
    { nodes: [{ host: "::1", port: 80, weight: 1 }] },
    "invalid configuration: IPv6 address must be enclosed with '[' and ']'",
  ],
  [{ nodes: [{ host: "::1" }], foo: 1 }, "invalid configuration: IPv6 address must be enclosed with '[' and ']'"],
  [{ nodes: {}, type: "chash" }, "missing key"],
  [{ nodes: {}, type: "chash", hash_on: "header" }, "missing key"],
  [{ nodes: {}, type: "chash", hash_on: "vars_combinations" }, "missing key"],
  [
    { nodes: {}, type: "chash", key: "x" },
    `invalid configuration: failed to match pattern "${HASH_VARIABLE}" with "x"`,
  ],
  [
    { nodes: {}, type: "chash", hash_on: "header", key: "$#^@" },
    'invalid configuration: failed to match pattern "^[a-zA-Z0-9-_]+$" with "$#^@"',
  ],
  [
    { nodes: {}, type: "chash", hash_on: "cookie", key: "$#^@" },
    'invalid configuration: failed to match pattern "^[a-zA-Z0-9-_]+$" with "$#^@"',
  ],
  [{ nodes: {}, pass_host: "rewrite" }, "`upstream_host` can't be empty when `pass_host` is `rewrite`"],
  [
    { nodes: {}, tls: { client_cert: CERTIFICATE, client_key: KEY } },
    "failed to parse cert: PEM_read_bio_X509_AUX() failed",
  ],
];

describe("upstream", () => {
  it.each(REFUSED)("refuses %j in APISIX's words", (value, message) => {
    expect(problemOf(value)).toBe(`invalid configuration: ${message}`);
  });

  it.each(REFUSED_BEYOND_SCHEMA)("refuses %j by a rule outside the schema", (value, message) => {
    expect(problemOf(value)).toBe(message);
  });

  it.each<[Record<string, unknown>]>([
    [{ nodes: [] }],
    [{ nodes: {} }],
    [{ nodes: { "127.0.0.1": 0 } }],
    [{ nodes: { "::1": 1 } }],
    [{ nodes: { "a:80": 1 }, discovery_type: "dns" }],
    [{ nodes: [{ host: "[::1]", weight: 1, extra: 1, metadata: [] }] }],
    [{ nodes: [{ host: "$env://HOST", weight: 1 }] }],
    [{ nodes: "$env://NODES" }],
    [{ service_name: "x", discovery_type: "anything" }],
    [{ nodes: {}, type: "unheard_of" }],
    [{ nodes: {}, type: "chash", key: "arg_x" }],
    [{ nodes: {}, type: "chash", key: "arg_[" }],
    [{ nodes: {}, type: "chash", key: "$env://KEY" }],
    [{ nodes: {}, type: "chash", hash_on: "consumer" }],
    [{ nodes: {}, type: "chash", hash_on: "vars_combinations", key: "$request_uri$remote_addr" }],
    [{ nodes: {}, type: "roundrobin", key: "$#^@" }],
    [{ nodes: {}, pass_host: "rewrite", upstream_host: "a.com" }],
    [{ nodes: {}, checks: { active: {}, passive: { unhealthy: { timeouts: 0 } } } }],
    [{ nodes: {}, checks: { active: { req_headers: ["A: b", "A: b"] } } }],
    [{ nodes: {}, tls: { client_cert: "$secret://vault/1/cert", client_key: "$secret://vault/1/key" } }],
    [{ nodes: {}, tls: { client_cert_id: 1, extra: 1 } }],
  ])("accepts %j", (value) => {
    expect(problemOf(value)).toBeUndefined();
  });

  it("fills the defaults of every part that is there", () => {
    const input = {
      nodes: [{ host: "a", weight: 1 }],
      keepalive_pool: {},
      tls: {},
      checks: { active: { healthy: {} } },
    };
    expect(checkValue(upstream.schema, input)).toEqual({
      ok: true,
      value: {
        nodes: [{ host: "a", weight: 1, priority: 0 }],
        keepalive_pool: { size: 320, idle_timeout: 60, requests: 1000 },
        tls: { verify: false },
        checks: {
          active: {
            type: "http",
            timeout: 1,
            concurrency: 10,
            http_method: "GET",
            http_path: "/",
            http_req_body: "",
            https_verify_certificate: true,
            healthy: { interval: 1, http_statuses: [200, 302], successes: 2 },
          },
        },
        type: "roundrobin",
        hash_on: "vars",
        scheme: "http",
        pass_host: "pass",
      },
    });
  });

  it("fills the defaults of passive checks", () => {
    const input = { nodes: {}, checks: { active: { unhealthy: {} }, passive: { healthy: {}, unhealthy: [] } } };
    const result = checkValue(upstream.schema, input);
    expect(result.ok && result.value.checks).toMatchObject({
      active: {
        unhealthy: {
          interval: 1,
          http_statuses: [429, 404, 500, 501, 502, 503, 504, 505],
          http_failures: 5,
          tcp_failures: 2,
          timeouts: 3,
        },
      },
      passive: {
        type: "http",
        healthy: { successes: 5 },
        unhealthy: { http_statuses: [429, 500, 503], tcp_failures: 2, timeouts: 7, http_failures: 5 },
      },
    });
  });

  it("gives each value its own copy of a list default", () => {
    const read = () => {
      const result = checkValue(upstream.schema, { nodes: {}, checks: { active: { healthy: {} } } });
      if (!result.ok) throw new Error(result.message);
      return result.value.checks?.active?.healthy?.http_statuses;
    };
    read()?.push(500);
    expect(read()).toEqual([200, 302]);
  });

  it("tells a bad certificate from a bad key", () => {
    const { privateKey } = generateKeyPairSync("ec", {
      namedCurve: "P-256",
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    const withTls = (client_cert: string, client_key: string) =>
      problemOf({ nodes: {}, tls: { client_cert, client_key } });
    expect(withTls(privateKey, privateKey)).toBe("failed to parse cert: PEM_read_bio_X509_AUX() failed");
    expect(withTls(SELF_SIGNED, privateKey)).toBeUndefined();
    expect(withTls(SELF_SIGNED, `-----BEGIN PRIVATE KEY-----\n${"A".repeat(64)}\n-----END PRIVATE KEY-----\n`)).toBe(
      "failed to parse key: PEM_read_bio_PrivateKey() failed",
    );
    expect(withTls(SELF_SIGNED, "no key at all ".repeat(10))).toBe("failed to decrypt previous encrypted key");
    expect(withTls(SELF_SIGNED, Buffer.alloc(64).toString("base64"))).toBeUndefined();
  });

  it("wants a client's certificate behind tls.client_cert_id", () => {
    const [reference] = upstream.references;
    expect(reference?.accepts?.({ type: "client" }, "1")).toBeUndefined();
    expect(reference?.accepts?.({ sni: "a.com" }, "1")).toBe("failed to fetch ssl info by ssl id [1], wrong ssl type");
  });
});
