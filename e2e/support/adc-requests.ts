import { createHash } from "node:crypto";

/** A request as ADC sends it. */
export interface AdcRequest {
  readonly method: "GET" | "PUT" | "DELETE" | "POST";
  /** Below `/apisix/admin`. */
  readonly path: string;
  readonly body?: unknown;
}

/** Fields of every request of ADC 0.28, those without a body included. */
export const ADC_FIELDS = {
  Accept: "application/json, text/plain, */*",
  "Content-Type": "application/json",
  "Accept-Encoding": "gzip, compress, deflate, br",
};

/** Ids that ADC makes of names. */
export const adcId = (name: string) => createHash("sha1").update(name).digest("hex");

const MANAGED = { "managed-by": "adc" };

/** What ADC reads before it compares: routes first, then the rest side by side, unpaged. */
export const READS = [
  "routes",
  "services",
  "upstreams",
  "ssls",
  "consumers",
  "plugin_configs",
  "global_rules",
  "plugin_metadata",
  "stream_routes",
] as const;

/** The pieces of a configuration that change between the first and the second synchronisation. */
export interface Edition {
  readonly cert: string;
  readonly key: string;
  readonly uris: readonly string[];
  readonly secondKey: string;
}

const checks = {
  active: {
    type: "http",
    timeout: 1,
    concurrency: 10,
    http_path: "/",
    https_verify_certificate: true,
    healthy: { interval: 1, http_statuses: [200, 302], successes: 2 },
    unhealthy: { interval: 1, http_statuses: [429, 404], http_failures: 5, tcp_failures: 2, timeouts: 3 },
  },
};

/** The objects of one edition as ADC writes them, group after group; within a group it sends ten at a time. */
export function adcWrites({ cert, key, uris, secondKey }: Edition): readonly (readonly AdcRequest[])[] {
  const put = (path: string, body: unknown): AdcRequest => ({ method: "PUT", path, body });
  const service = adcId("shop");
  const credential = (name: string, secret: string) =>
    put(`/consumers/jack/credentials/${adcId(`jack.${name}`)}`, {
      name,
      labels: MANAGED,
      plugins: { "key-auth": { key: secret } },
    });
  return [
    [
      put(`/ssls/${adcId("shop.example.com")}`, {
        labels: MANAGED,
        type: "server",
        snis: ["shop.example.com"],
        cert,
        key,
      }),
    ],
    [
      put(`/upstreams/${service}`, {
        name: "shop",
        labels: MANAGED,
        type: "roundrobin",
        nodes: [{ host: "127.0.0.1", port: 1980, weight: 1, priority: 0 }],
        scheme: "http",
        pass_host: "pass",
        timeout: { connect: 5, send: 5, read: 5 },
        checks,
      }),
    ],
    [put(`/services/${service}`, { name: "shop", labels: { team: "shop", ...MANAGED }, upstream_id: service })],
    [
      put(`/routes/${adcId("shop.hello")}`, {
        name: "hello",
        labels: MANAGED,
        uris,
        service_id: service,
        plugins: {
          openfunction: { function_uri: "http://127.0.0.1:3233/f", authorization: { service_token: "test:test" } },
        },
      }),
      put(`/routes/${adcId("shop.list")}`, { name: "list", labels: MANAGED, uris: ["/list"], service_id: service }),
    ],
    [put("/consumers/jack", { username: "jack", desc: "a customer", labels: MANAGED })],
    [put("/global_rules/request-id", { plugins: { "request-id": { include_in_response: true } } })],
    [put("/plugin_metadata/http-logger", { log_format: { host: "$host" } })],
    [credential("web", "jacks-key"), credential("app", secondKey)],
  ];
}

/** How ADC takes everything away again: routes before their service, a service before its upstream. */
export function adcDeletes(): readonly AdcRequest[] {
  const remove = (path: string): AdcRequest => ({ method: "DELETE", path });
  const service = adcId("shop");
  return [
    remove(`/routes/${adcId("shop.hello")}`),
    remove(`/routes/${adcId("shop.list")}`),
    remove(`/services/${service}`),
    remove(`/upstreams/${service}`),
    remove("/consumers/jack"),
    remove(`/ssls/${adcId("shop.example.com")}`),
    remove("/global_rules/request-id"),
    remove("/plugin_metadata/http-logger"),
  ];
}
