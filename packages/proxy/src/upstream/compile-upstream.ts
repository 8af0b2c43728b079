import { type Connections, GatewayError, type Target, type TargetTls, type Usage } from "@fngate/kernel";
import { type AttemptObserver, loadObserver } from "./attempt-observer.ts";
import type { BalancerKind, BalancerOptions, NodeFilter, VariableReader } from "./balancers/balancer.ts";
import { BALANCERS } from "./balancers/index.ts";
import { UpstreamLoads } from "./node-load.ts";
import { NodeSet } from "./node-set.ts";
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
  /** Whether {@link CompiledUpstream.pick} goes by variables of the request. */
  readonly isKeyed: boolean;
  /** To be told of every attempt; absent when nobody needs to know. */
  readonly observer: AttemptObserver | undefined;
  /**
   * The node of the next attempt; nothing when there is none or all were tried.
   *
   * @param variable variables of the request; needed where {@link CompiledUpstream.isKeyed}
   */
  pick(tried: NodeFilter | undefined, variable?: VariableReader): UpstreamNode | undefined;
  /** Releases the endpoints; requests in flight end undisturbed. */
  dispose(): void;
}

const DEFAULT_PORTS = { http: 80, https: 443 } as const;
const DEFAULT_TIMEOUT_SECONDS = 60;
/** Values of nginx's `upstream` block as APISIX ships it. */
const DEFAULT_KEEPALIVE = { size: 320, idle_timeout: 60, requests: 1000 } as const;
/** An `idle_timeout` of 0 means "no limit"; this is what a timer can hold. */
const LONGEST_IDLE_MS = 2_147_483_647;

/** What an upstream may be compiled with beside its connections. */
export interface CompileOptions {
  /** Numbers in [0, 1) for the balancers; default `Math.random`. */
  readonly random?: () => number;
  /** Milliseconds of a clock that never steps back; default the process's. */
  readonly monotonicMs?: () => number;
  /** Takes a share in the loads that all versions of the upstream have in common; default: loads of its own. */
  readonly acquireLoads?: () => Usage<UpstreamLoads>;
}

/**
 * Compiles an upstream object: parses its nodes, acquires their endpoints and builds a balancer per priority group.
 *
 * A route's own `timeout` replaces the upstream's: hand in `{ ...upstream, timeout: route.timeout }`.
 *
 * @throws GatewayError `UPSTREAM_INVALID` for an unknown `type` or `scheme`, or a node that cannot be read
 */
export function compileUpstream(
  config: UpstreamConfig,
  connections: Connections,
  options: CompileOptions = {},
): CompiledUpstream {
  const scheme = schemeOf(config);
  const kind = balancerOf(config);
  const target = targetOf(config, scheme);
  const addresses = parseNodes(config.nodes, DEFAULT_PORTS[scheme]);
  const balancing = balancingOf(config, options);
  const loads = kind.isLoadAware === true ? acquireLoads(options) : undefined;
  const hostHeaderOf = hostHeaderRule(config, scheme);
  const settings: NodeSettings = { connections, target, hostHeaderOf, loads: loads?.value };
  const nodes = addresses.map((address) => createNode(address, settings));
  loads?.value.keepOnly(new Set(nodes.map(({ address }) => address)));
  const set = groupNodes(nodes, kind, balancing);
  return {
    scheme,
    nodes,
    retries: config.retries ?? Math.max(nodes.length - 1, 0),
    retryTimeoutMs: (config.retry_timeout ?? 0) * 1000,
    timeouts: target.timeouts,
    isKeyed: kind.isKeyed === true,
    observer: loads && loadObserver(balancing.monotonicMs),
    pick: (tried, variable) => set.pick(tried, variable),
    dispose: () => {
      releaseAll(nodes);
      loads?.release();
    },
  };
}

/** Balancers may refuse their nodes; what those hold is given back then. */
function groupNodes(nodes: readonly UpstreamNode[], kind: BalancerKind, options: BalancerOptions): NodeSet {
  try {
    return new NodeSet(nodes, kind, options);
  } catch (error) {
    releaseAll(nodes);
    throw error;
  }
}

function acquireLoads({ acquireLoads: acquire }: CompileOptions): Usage<UpstreamLoads> {
  return acquire?.() ?? { value: new UpstreamLoads(), release: () => undefined };
}

function releaseAll(nodes: readonly UpstreamNode[]): void {
  for (const node of nodes) node.release();
}

function balancingOf(config: UpstreamConfig, options: CompileOptions): BalancerOptions {
  const { random = Math.random, monotonicMs = () => performance.now() } = options;
  return { random, monotonicMs, hashOn: config.hash_on ?? "vars", key: config.key };
}

function schemeOf(config: UpstreamConfig): "http" | "https" {
  const scheme = config.scheme ?? "http";
  if (scheme === "http" || scheme === "https") return scheme;
  throw new GatewayError("UPSTREAM_INVALID", `upstream scheme ${scheme} is not supported`, { details: { scheme } });
}

function balancerOf(config: UpstreamConfig): BalancerKind {
  const type = config.type ?? "roundrobin";
  const kind = BALANCERS.get(type);
  if (kind !== undefined) return kind;
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
