import { createHmac } from "node:crypto";

/** One route of the plugin bench. */
export interface PluginRoute {
  readonly name: string;
  readonly plugins: Readonly<Record<string, object>>;
  /** What a request needs to get through. */
  readonly headers?: Readonly<Record<string, string>>;
  /** False: the route has none, as the plugin calls something itself. */
  readonly hasUpstream?: boolean;
}

/** Servers that plugins call. */
export interface PluginServers {
  /** Answers everything with 200. */
  readonly upstream: string;
  /** Where files may be written. */
  readonly directory: string;
}

const KEY = "key-of-the-bench";
const SECRET = "a-secret-of-at-least-thirty-two-bytes";

/** Consumers and metadata that the routes rely on, by path below `/apisix/admin`. */
export function pluginObjects({ upstream }: PluginServers): Readonly<Record<string, object>> {
  return {
    "/consumers/bench": {
      username: "bench",
      labels: { team: "a" },
      plugins: {
        "key-auth": { key: KEY },
        "basic-auth": { username: "bench", password: KEY },
        "jwt-auth": { key: KEY, secret: SECRET },
        "hmac-auth": { key_id: KEY, secret_key: SECRET },
      },
    },
    "/plugin_metadata/opentelemetry": { collector: { address: upstream } },
  };
}

/** The chain that stands in front of a function in real life. */
const CHAIN = {
  "key-auth": {},
  "limit-count": { count: 1_000_000_000, time_window: 3600, key: "consumer_name" },
  cors: {},
  "request-id": {},
  prometheus: {},
};

const apikey = { apikey: KEY };

/** Every plugin that can stand alone on a route whose answer is 200, then chains. Limits are too high to be met. */
export function pluginRoutes(servers: PluginServers): readonly PluginRoute[] {
  return [
    ...authentication(),
    ...security(servers),
    ...traffic(servers),
    ...observability(servers),
    ...functions(servers),
    { name: "key-auth, consumer-restriction", headers: apikey, plugins: restricted() },
    { name: "key-auth, attach-consumer-label", headers: apikey, plugins: labelled() },
    { name: CHAIN_NAME, headers: apikey, plugins: CHAIN },
  ];
}

/** The chain whose cost has a target. */
export const CHAIN_NAME = Object.keys(CHAIN).join(", ");

function alone(name: string, config: object = {}, headers: Readonly<Record<string, string>> = {}): PluginRoute {
  return { name, plugins: { [name]: config }, headers };
}

function restricted(): PluginRoute["plugins"] {
  return { "key-auth": {}, "consumer-restriction": { whitelist: ["bench"] } };
}

function labelled(): PluginRoute["plugins"] {
  return { "key-auth": {}, "attach-consumer-label": { headers: { "X-Team": "$team" } } };
}

function authentication(): PluginRoute[] {
  const basic = `Basic ${Buffer.from(`bench:${KEY}`).toString("base64")}`;
  const both = { auth_plugins: [{ "basic-auth": {} }, { "key-auth": {} }] };
  return [
    alone("key-auth", {}, apikey),
    alone("basic-auth", {}, { authorization: basic }),
    alone("jwt-auth", {}, { authorization: token() }),
    alone("hmac-auth", { clock_skew: 86_400 }, signature()),
    alone("multi-auth", both, apikey),
  ];
}

function security({ upstream }: PluginServers): PluginRoute[] {
  const schema = { type: "object", required: ["user-agent"] };
  return [
    alone("ip-restriction", { whitelist: ["10.0.0.0/8", "127.0.0.0/8"] }),
    alone("ua-restriction", { denylist: ["^curl", "bot"] }),
    alone("referer-restriction", { whitelist: ["*.example.com"], bypass_missing: true }),
    alone("uri-blocker", { block_rules: ["root.exe", "root.m+"] }),
    alone("cors"),
    alone("csrf", { key: SECRET }),
    alone("client-control", { max_body_size: 1024 }),
    alone("request-validation", { header_schema: schema }),
    alone(
      "real-ip",
      { source: "http_x_forwarded_for", trusted_addresses: ["127.0.0.0/8"] },
      { "x-forwarded-for": "1.2.3.4" },
    ),
    alone("forward-auth", { uri: upstream }),
  ];
}

function traffic({ upstream }: PluginServers): PluginRoute[] {
  const many = 1_000_000_000;
  return [
    alone("limit-count", { count: many, time_window: 3600 }),
    alone("limit-req", { rate: many, burst: 0, key: "remote_addr" }),
    alone("limit-conn", { conn: 10_000, burst: 0, default_conn_delay: 0.1, key: "remote_addr" }),
    alone("api-breaker", { break_response_code: 502 }),
    alone("proxy-rewrite", { uri: "/hello", headers: { set: { "X-Own": "$remote_addr" } } }),
    alone("response-rewrite", { headers: { set: { "X-Own": "1" } } }),
    alone("redirect", { regex_uri: ["^/never/(.*)", "/$1"] }),
    alone("traffic-split", { rules: [{ weighted_upstreams: [{ weight: 1 }] }] }),
    alone("proxy-mirror", { host: upstream }),
    alone("proxy-cache", { cache_strategy: "memory", cache_zone: "memory_cache" }),
    alone("fault-injection", { abort: { http_status: 503, percentage: 0 } }),
    alone("mocking", { response_example: "Hello, world!", content_type: "text/plain" }),
    alone("request-id"),
    alone("gzip", { types: "*", min_length: 1 }, { "accept-encoding": "gzip" }),
    alone("brotli", { types: "*", min_length: 1 }, { "accept-encoding": "br" }),
    alone("workflow", { rules: [{ case: [["uri", "==", "/never"]], actions: [["return", { code: 403 }]] }] }),
    alone("echo", { before_body: "a" }),
  ];
}

function observability({ directory, upstream }: PluginServers): PluginRoute[] {
  return [
    alone("prometheus"),
    alone("opentelemetry", { sampler: { name: "always_on" } }),
    alone("zipkin", { endpoint: `${upstream}/spans`, sample_ratio: 1 }),
    alone("http-logger", { uri: `${upstream}/logs` }),
    alone("loki-logger", { endpoint_addrs: [upstream] }),
    alone("file-logger", { path: `${directory}/requests.log` }),
  ];
}

function functions({ upstream }: PluginServers): PluginRoute[] {
  const function_uri = `${upstream}/hello`;
  return [
    { ...alone("openfunction", { function_uri, keepalive_pool: 128 }), hasUpstream: false },
    { ...alone("azure-functions", { function_uri, keepalive_pool: 128 }), hasUpstream: false },
  ];
}

/** A token of the consumer, good for a day. */
function token(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const payload = { key: KEY, exp: Math.floor(Date.now() / 1000) + 86_400 };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(payload)}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

/** The fields of a signed request. */
function signature(): Readonly<Record<string, string>> {
  const date = new Date().toUTCString();
  const signed = createHmac("sha256", SECRET).update(`${KEY}\ndate: ${date}\n`).digest("base64");
  return {
    date,
    authorization: `Signature keyId="${KEY}",algorithm="hmac-sha256",headers="date",signature="${signed}"`,
  };
}
