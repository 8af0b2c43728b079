import { GatewayError, type TargetKeepalive, type TargetTls } from "@fngate/kernel";
import type { BalancerKind } from "./balancers/balancer.ts";
import { BALANCERS } from "./balancers/index.ts";
import type { NodeAddress } from "./parse-nodes.ts";
import type { UpstreamConfig } from "./upstream-config.ts";
import { bracketed, type NodeSettings } from "./upstream-node.ts";

/** What a node without port listens on. */
export const DEFAULT_PORTS = { http: 80, https: 443, grpc: 80, grpcs: 443 } as const;

/** Schemes that are spoken. */
export type UpstreamScheme = keyof typeof DEFAULT_PORTS;

const DEFAULT_TIMEOUT_SECONDS = 60;
/** Values of nginx's `upstream` block as APISIX ships it. */
const DEFAULT_KEEPALIVE: TargetKeepalive = { idleConnections: 320, idleTimeoutMs: 60_000, maxRequests: 1000 };
/** What a `keepalive_pool` that leaves fields out means (APISIX: upstream schema). */
const DEFAULT_POOL = { size: 320, idle_timeout: 60, requests: 1000 } as const;
/** What an `idle_timeout` of 0 means; the timer makes the longest of it that it can. */
const NO_LIMIT_MS = Number.MAX_SAFE_INTEGER;

/** The scheme of an upstream, if it is one that we speak. */
export function schemeOf(config: UpstreamConfig): UpstreamScheme {
  const scheme = config.scheme ?? "http";
  if (isSpoken(scheme)) return scheme;
  throw new GatewayError("UPSTREAM_INVALID", `upstream scheme ${scheme} is not supported`, { details: { scheme } });
}

function isSpoken(scheme: string): scheme is UpstreamScheme {
  return Object.hasOwn(DEFAULT_PORTS, scheme);
}

/** The way of balancing that an upstream names. */
export function balancerOf(config: UpstreamConfig): BalancerKind {
  const type = config.type ?? "roundrobin";
  const kind = BALANCERS.get(type);
  if (kind !== undefined) return kind;
  throw new GatewayError("UPSTREAM_INVALID", `upstream type ${type} is not supported`, { details: { type } });
}

/** What connections to all nodes have in common; `keepalive` holds where the upstream has no pool of its own. */
export function targetOf(config: UpstreamConfig, keepalive = DEFAULT_KEEPALIVE): NodeSettings["target"] {
  const { timeout, keepalive_pool: pool } = config;
  const scheme = schemeOf(config);
  const isTls = scheme === "https" || scheme === "grpcs";
  return {
    scheme: isTls ? "https" : "http",
    ...(scheme === "grpc" || scheme === "grpcs" ? { version: "2" as const } : {}),
    ...(isTls ? { tls: tlsOf(config) } : {}),
    keepalive: pool === undefined ? keepalive : keepaliveOf(pool),
    timeouts: {
      connectMs: (timeout?.connect ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
      sendMs: (timeout?.send ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
      readMs: (timeout?.read ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
    },
  };
}

function keepaliveOf(pool: NonNullable<UpstreamConfig["keepalive_pool"]>): TargetKeepalive {
  const idleSeconds = pool.idle_timeout ?? DEFAULT_POOL.idle_timeout;
  return {
    idleConnections: pool.size ?? DEFAULT_POOL.size,
    idleTimeoutMs: idleSeconds === 0 ? NO_LIMIT_MS : idleSeconds * 1000,
    maxRequests: pool.requests ?? DEFAULT_POOL.requests,
  };
}

function tlsOf(config: UpstreamConfig): TargetTls {
  const { client_cert: cert, client_key: key, verify = false } = config.tls ?? {};
  return cert === undefined || key === undefined ? { verify } : { verify, cert, key };
}

/** APISIX `pass_host`: the node's address carries its port unless that is the scheme's own. */
export function hostHeaderRule(config: UpstreamConfig, scheme: UpstreamScheme): NodeSettings["hostHeaderOf"] {
  const { pass_host: rule = "pass", upstream_host: rewritten } = config;
  if (rule === "rewrite") return () => rewritten ?? "";
  if (rule === "pass") return () => undefined;
  return ({ domain, host, port }: NodeAddress) => {
    const name = domain ?? bracketed(host);
    return port === DEFAULT_PORTS[scheme] ? name : `${name}:${port}`;
  };
}
