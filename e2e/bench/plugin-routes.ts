import { createCipheriv, createHmac, randomBytes } from "node:crypto";
import { logIn, obtainToken } from "./openid-login.ts";

/** One route of the plugin bench. */
export interface PluginRoute {
  readonly name: string;
  readonly plugins: Readonly<Record<string, object>>;
  /** What a request needs to get through. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Gets what else a request needs, once the route is there. */
  readonly obtain?: (url: string) => Promise<Readonly<Record<string, string>>>;
  /** Requests are POST requests with this body. */
  readonly body?: string;
  /** False: the route has none, as the plugin calls something itself. */
  readonly hasUpstream?: boolean;
}

/** Servers that plugins call. */
export interface PluginServers {
  /** Answers everything with 200. */
  readonly upstream: string;
  /** Where files may be written. */
  readonly directory: string;
  /** Ports of `plugin-servers.ts`. */
  readonly http: number;
  readonly tcp: number;
  readonly udp: number;
  readonly ldap: number;
}

const KEY = "key-of-the-bench";
const SECRET = "a-secret-of-at-least-thirty-two-bytes";
const SECRET_BYTES = SECRET.slice(0, 32);

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
        "jwe-decrypt": { key: KEY, secret: SECRET_BYTES },
        "ldap-auth": { user_dn: "cn=bench,dc=bench" },
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
    ...authentication(servers),
    ...openid(servers),
    ...security(servers),
    ...traffic(servers),
    ...observability(servers),
    ...functions(servers),
    ...plumbing(),
    { name: "key-auth, acl", headers: apikey, plugins: { "key-auth": {}, acl: { allow_labels: { team: ["a"] } } } },
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

function authentication({ ldap }: PluginServers): PluginRoute[] {
  const basic = `Basic ${Buffer.from(`bench:${KEY}`).toString("base64")}`;
  const both = { auth_plugins: [{ "basic-auth": {} }, { "key-auth": {} }] };
  return [
    alone("key-auth", {}, apikey),
    alone("basic-auth", {}, { authorization: basic }),
    alone("jwt-auth", {}, { authorization: token() }),
    alone("hmac-auth", { clock_skew: 86_400 }, signature()),
    alone("multi-auth", both, apikey),
    alone("ldap-auth", { base_dn: "dc=bench", ldap_uri: `127.0.0.1:${ldap}` }, { authorization: basic }),
    alone("jwe-decrypt", {}, { authorization: encrypted() }),
  ];
}

function openid({ http }: PluginServers): PluginRoute[] {
  const provider = `http://127.0.0.1:${http}`;
  const client = {
    client_id: "bench",
    client_secret: SECRET,
    discovery: `${provider}/.well-known/openid-configuration`,
    session: { secret: SECRET },
  };
  const config = { ...client, bearer_only: true, use_jwks: true };
  return [
    { ...alone("openid-connect", config), name: "openid-connect (bearer)", obtain: () => obtainToken(provider) },
    { ...alone("openid-connect", client), name: "openid-connect (session)", obtain: logIn },
  ];
}

function security({ http, upstream }: PluginServers): PluginRoute[] {
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
    alone("opa", { host: `http://127.0.0.1:${http}`, policy: "bench" }),
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

function observability({ directory, tcp, udp, upstream }: PluginServers): PluginRoute[] {
  const host = "127.0.0.1";
  return [
    alone("prometheus"),
    alone("opentelemetry", { sampler: { name: "always_on" } }),
    alone("zipkin", { endpoint: `${upstream}/spans`, sample_ratio: 1 }),
    alone("http-logger", { uri: `${upstream}/logs` }),
    alone("loki-logger", { endpoint_addrs: [upstream] }),
    alone("file-logger", { path: `${directory}/requests.log` }),
    alone("tcp-logger", { host, port: tcp }),
    alone("udp-logger", { host, port: udp }),
    alone("syslog", { host, port: tcp }),
  ];
}

function functions({ http, upstream }: PluginServers): PluginRoute[] {
  const function_uri = `${upstream}/hello`;
  const action = { api_host: `http://127.0.0.1:${http}`, service_token: "a:b", namespace: "bench", action: "hello" };
  const iam = { accesskey: "bench", secretkey: SECRET };
  return [
    { ...alone("openfunction", { function_uri, keepalive_pool: 128 }), hasUpstream: false },
    { ...alone("azure-functions", { function_uri, keepalive_pool: 128 }), hasUpstream: false },
    { ...alone("aws-lambda", { function_uri, keepalive_pool: 128, authorization: { iam } }), hasUpstream: false },
    { ...alone("openwhisk", { ...action, keepalive_pool: 128 }), hasUpstream: false },
  ];
}

/** Routes that answer themselves; the batch has one request to the empty route in it. */
function plumbing(): PluginRoute[] {
  const own = (name: string, uri: string): PluginRoute => ({
    ...alone("public-api", { uri }),
    name,
    hasUpstream: false,
  });
  const batch = { pipeline: [{ path: "/empty" }] };
  return [
    own("public-api", "/apisix/status"),
    { ...own("batch-requests", "/apisix/batch-requests"), body: JSON.stringify(batch) },
  ];
}

/** What the consumer's secret encrypts (RFC 7516, `dir` and `A256GCM`). */
function encrypted(): string {
  const header = Buffer.from(JSON.stringify({ alg: "dir", enc: "A256GCM", kid: KEY })).toString("base64url");
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", SECRET_BYTES, iv).setAAD(Buffer.from(header));
  const content = Buffer.concat([cipher.update("Bearer of the bench"), cipher.final()]);
  const parts = [iv, content, cipher.getAuthTag()].map((bytes) => bytes.toString("base64url"));
  return `Bearer ${[header, "", ...parts].join(".")}`;
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
