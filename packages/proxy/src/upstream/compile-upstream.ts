import { type Connections, GatewayError, type Target, type TargetTls } from "@fngate/kernel";
import { BALANCERS, type Balancer, type BalancerFactory } from "./balancer.ts";
import { type NodeAddress, parseNodes } from "./parse-nodes.ts";
import type { UpstreamConfig } from "./upstream-config.ts";
import { bracketed, createNode, type NodeSettings, type UpstreamNode } from "./upstream-node.ts";

/** An upstream ready to be called; shared by every request until it is disposed. */
export interface CompiledUpstream {
  readonly scheme: "http" | "https";
  /** Empty when the configuration names none: requests then get 503. */
  readonly nodes: readonly UpstreamNode[];
  /** Attempts after the first. */
  readonly retries: number;
  /** No further attempt starts later than this after the first; 0: no limit. */
  readonly retryTimeoutMs: number;
  readonly timeouts: Target["timeouts"];
  /** The node of the next attempt; nothing when there is none or all were tried. */
  pick(tried: ReadonlySet<UpstreamNode> | undefined): UpstreamNode | undefined;
  /** Releases the endpoints; requests in flight end undisturbed. */
  dispose(): void;
}

const DEFAULT_PORTS = { http: 80, https: 443 } as const;
const DEFAULT_TIMEOUT_SECONDS = 60;
/** Values of nginx's `upstream` block as APISIX ships it. */
const DEFAULT_KEEPALIVE = { size: 320, idle_timeout: 60, requests: 1000 } as const;
/** An `idle_timeout` of 0 means "no limit"; this is what a timer can hold. */
const LONGEST_IDLE_MS = 2_147_483_647;

/**
 * Compiles an upstream object: parses its nodes, acquires their endpoints and builds a balancer per priority group.
 *
 * A route's own `timeout` replaces the upstream's: hand in `{ ...upstream, timeout: route.timeout }`.
 *
 * @param random source of the balancers' first pick, in [0, 1)
 * @throws GatewayError `UPSTREAM_INVALID` for an unknown `type` or `scheme`, or a node that cannot be read
 */
export function compileUpstream(
  config: UpstreamConfig,
  connections: Connections,
  random: () => number = Math.random,
): CompiledUpstream {
  const scheme = schemeOf(config);
  const createBalancer = balancerOf(config);
  const target = targetOf(config, scheme);
  const settings: NodeSettings = { connections, target, hostHeaderOf: hostHeaderRule(config, scheme) };
  const nodes = parseNodes(config.nodes, DEFAULT_PORTS[scheme]).map((address) => createNode(address, settings));
  const groups = groupByPriority(nodes).map((group) => createBalancer(group, random));
  return {
    scheme,
    nodes,
    retries: config.retries ?? Math.max(nodes.length - 1, 0),
    retryTimeoutMs: (config.retry_timeout ?? 0) * 1000,
    timeouts: target.timeouts,
    pick: pickerOf(nodes, groups),
    dispose: () => {
      for (const node of nodes) node.release();
    },
  };
}

function schemeOf(config: UpstreamConfig): "http" | "https" {
  const scheme = config.scheme ?? "http";
  if (scheme === "http" || scheme === "https") return scheme;
  throw new GatewayError("UPSTREAM_INVALID", `upstream scheme ${scheme} is not supported`, { details: { scheme } });
}

function balancerOf(config: UpstreamConfig): BalancerFactory {
  const type = config.type ?? "roundrobin";
  const factory = BALANCERS.get(type);
  if (factory !== undefined) return factory;
  throw new GatewayError("UPSTREAM_INVALID", `upstream type ${type} is not supported`, { details: { type } });
}

function targetOf(config: UpstreamConfig, scheme: "http" | "https"): NodeSettings["target"] {
  const { timeout, keepalive_pool: pool } = config;
  const idleSeconds = pool?.idle_timeout ?? DEFAULT_KEEPALIVE.idle_timeout;
  return {
    scheme,
    ...(scheme === "https" ? { tls: tlsOf(config) } : {}),
    keepalive: {
      idleConnections: pool?.size ?? DEFAULT_KEEPALIVE.size,
      idleTimeoutMs: idleSeconds === 0 ? LONGEST_IDLE_MS : idleSeconds * 1000,
      maxRequests: pool?.requests ?? DEFAULT_KEEPALIVE.requests,
    },
    timeouts: {
      connectMs: (timeout?.connect ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
      sendMs: (timeout?.send ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
      readMs: (timeout?.read ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
    },
  };
}

function tlsOf(config: UpstreamConfig): TargetTls {
  const { client_cert: cert, client_key: key, verify = false } = config.tls ?? {};
  return cert === undefined || key === undefined ? { verify } : { verify, cert, key };
}

/** APISIX `pass_host`: the node's address carries its port unless that is the scheme's own. */
function hostHeaderRule(config: UpstreamConfig, scheme: "http" | "https"): NodeSettings["hostHeaderOf"] {
  const { pass_host: rule = "pass", upstream_host: rewritten } = config;
  if (rule === "rewrite") return () => rewritten ?? "";
  if (rule === "pass") return () => undefined;
  return ({ host, port }: NodeAddress) =>
    port === DEFAULT_PORTS[scheme] ? bracketed(host) : `${bracketed(host)}:${port}`;
}

/** Nodes by priority, highest first. */
function groupByPriority(nodes: readonly UpstreamNode[]): UpstreamNode[][] {
  const groups = new Map<number, UpstreamNode[]>();
  for (const node of nodes) {
    const group = groups.get(node.priority);
    if (group === undefined) groups.set(node.priority, [node]);
    else group.push(node);
  }
  return [...groups].sort(([one], [other]) => other - one).map(([, group]) => group);
}

function pickerOf(nodes: readonly UpstreamNode[], groups: readonly Balancer[]): CompiledUpstream["pick"] {
  // A lone node needs no balancer and may be tried again (APISIX: one node bypasses the balancer).
  if (nodes.length <= 1) return () => nodes[0];
  return (tried) => {
    for (const group of groups) {
      const node = group.pick(tried);
      if (node !== undefined) return node;
    }
    return undefined;
  };
}
