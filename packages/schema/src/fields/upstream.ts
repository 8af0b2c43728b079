import { z } from "zod";
import { closedObject, listOf, mapOf, openObject } from "./container.ts";
import { integer } from "./integer.ts";
import { anyOfRequired, dependency, noneOfRequired, oneOfRequired, required } from "./rules.ts";
import { anyObject, certificate, host, id, metadata, method, privateKey, timeout } from "./shared.ts";
import { choice, text, untypedChoice } from "./text.ts";

const weight = integer({ min: 0 });

/** One node in the array form. */
const node = openObject({
  host,
  weight,
  port: integer({ min: 1, max: 65_535 }).optional(),
  priority: integer().default(0),
  metadata: anyObject.optional(),
});

const nodes = z.union([mapOf(weight), listOf(node)]);

const tls = openObject(
  {
    client_cert_id: id.optional(),
    client_cert: certificate.optional(),
    client_key: privateKey.optional(),
    verify: z.boolean().default(false),
  },
  dependency("client_cert", required("client_key")),
  dependency("client_key", required("client_cert")),
  dependency("client_cert_id", noneOfRequired(["client_cert", "client_key"])),
);

const keepalivePool = openObject({
  size: integer({ min: 1 }).default(320),
  idle_timeout: z.number().min(0).default(60),
  requests: integer({ min: 1 }).default(1000),
});

function httpStatuses(defaults: readonly number[]) {
  return listOf(integer({ min: 200, max: 599 }), { min: 1, isUnique: true }).default(() => [...defaults]);
}

/** A number of observations after which a node changes state: 1 to 254 in active checks, 0 switches a passive one off. */
function threshold(min: 0 | 1, count: number) {
  return integer({ min, max: 254 }).default(count);
}

const interval = integer({ min: 1 }).default(1);
const checkType = choice(["http", "https", "tcp"]).default("http");

/** Checks that the gateway makes of its own. */
export const activeChecks = openObject({
  type: checkType,
  timeout: z.number().default(1),
  concurrency: integer().default(10),
  host: host.optional(),
  port: integer({ min: 1, max: 65_535 }).optional(),
  http_method: method.default("GET"),
  http_path: text().default("/"),
  http_req_body: text().default(""),
  https_verify_certificate: z.boolean().default(true),
  req_headers: listOf(text(), { min: 1 }).optional(),
  healthy: openObject({
    interval,
    http_statuses: httpStatuses([200, 302]),
    successes: threshold(1, 2),
  }).optional(),
  unhealthy: openObject({
    interval,
    http_statuses: httpStatuses([429, 404, 500, 501, 502, 503, 504, 505]),
    http_failures: threshold(1, 5),
    tcp_failures: threshold(1, 2),
    timeouts: threshold(1, 3),
  }).optional(),
});

/** What the answers to clients tell. */
export const passiveChecks = openObject({
  type: checkType,
  healthy: openObject({
    http_statuses: httpStatuses([
      200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308,
    ]),
    successes: threshold(0, 5),
  }).optional(),
  unhealthy: openObject({
    http_statuses: httpStatuses([429, 500, 503]),
    tcp_failures: threshold(0, 2),
    timeouts: threshold(0, 7),
    http_failures: threshold(0, 5),
  }).optional(),
});

/** How the health of nodes is found out. */
export const checks = closedObject(
  { active: activeChecks.optional(), passive: passiveChecks.optional() },
  anyOfRequired(["active"], ["active", "passive"]),
);

/** Key of a consistent hash over a variable. */
export const hashVariable = text({
  pattern:
    "^((uri|server_name|server_addr|request_uri|remote_port|remote_addr|query_string|host|hostname|mqtt_client_id)|arg_[0-9a-zA-z_-]+)$",
});

/** Key of a consistent hash over a header or cookie. */
export const hashHeader = text({ pattern: "^[a-zA-Z0-9-_]+$" });

/** An upstream, stored on its own or embedded in a route, service or stream route. APISIX: upstream schema. */
export const upstream = closedObject(
  {
    ...metadata,
    nodes: nodes.optional(),
    service_name: text({ min: 1, max: 256 }).optional(),
    discovery_type: text().optional(),
    discovery_args: openObject({ namespace_id: text().optional(), group_name: text().optional() }).optional(),
    retries: integer({ min: 0 }).optional(),
    retry_timeout: z.number().min(0).optional(),
    timeout: timeout.optional(),
    tls: tls.optional(),
    keepalive_pool: keepalivePool.optional(),
    type: text().default("roundrobin"),
    hash_on: choice(["vars", "header", "cookie", "consumer", "vars_combinations"]).default("vars"),
    key: text().optional(),
    checks: checks.optional(),
    scheme: untypedChoice(["grpc", "grpcs", "http", "https", "tcp", "tls", "udp", "kafka"]).default("http"),
    pass_host: choice(["pass", "node", "rewrite"]).default("pass"),
    upstream_host: host.optional(),
  },
  oneOfRequired(["nodes"], ["service_name", "discovery_type"]),
);

/** An upstream with its defaults. */
export type Upstream = z.output<typeof upstream>;
