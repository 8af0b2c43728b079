import type { Connections, Target, Usage } from "@fngate/kernel";
import { compileChecks } from "../health/check-settings.ts";
import type { HealthTarget } from "../health/health-checker.ts";
import { UpstreamHealth } from "../health/upstream-health.ts";
import { type AttemptObserver, combineObservers, loadObserver } from "./attempt-observer.ts";
import type { BalancerKind, BalancerOptions, NodeFilter, VariableReader } from "./balancers/balancer.ts";
import type { CompiledUpstream, CompileOptions } from "./compiled-upstream.ts";
import type { NamedNodes } from "./named-nodes.ts";
import { findNamedNodes } from "./named-sources.ts";
import { UpstreamLoads } from "./node-load.ts";
import { NodeSet } from "./node-set.ts";
import { type NodeAddress, parseNodes } from "./parse-nodes.ts";
import type { UpstreamConfig } from "./upstream-config.ts";
import { bracketed, createNode, type NodeSettings, type UpstreamNode } from "./upstream-node.ts";
import { balancerOf, DEFAULT_PORTS, hostHeaderRule, schemeOf, targetOf } from "./upstream-settings.ts";

/** An upstream in use: its nodes in their balancers, and what is known of them. */
export class LiveUpstream implements CompiledUpstream {
  readonly scheme: CompiledUpstream["scheme"];
  readonly retryTimeoutMs: number;
  readonly timeouts: Target["timeouts"];
  readonly isKeyed: boolean;
  readonly observer: AttemptObserver | undefined;
  readonly #config: UpstreamConfig;
  readonly #kind: BalancerKind;
  readonly #balancing: BalancerOptions;
  readonly #nodeSettings: NodeSettings;
  readonly #loads: Usage<UpstreamLoads> | undefined;
  readonly #health: UpstreamHealth | undefined;
  readonly #named: NamedNodes | undefined;
  #seenVersion = 0;
  #isDisposed = false;
  #set: NodeSet;

  constructor(config: UpstreamConfig, connections: Connections, options: CompileOptions) {
    this.scheme = schemeOf(config);
    this.retryTimeoutMs = (config.retry_timeout ?? 0) * 1000;
    this.#config = config;
    this.#kind = balancerOf(config);
    this.#balancing = balancingOf(config, options);
    this.isKeyed = this.#kind.isKeyed === true;
    const target = targetOf(config, options.keepalive);
    this.timeouts = target.timeouts;
    const addresses = parseNodes(config.nodes, DEFAULT_PORTS[this.scheme]);
    this.#named = findNamedNodes(config, addresses, options);
    this.#loads = this.#kind.isLoadAware === true ? acquireLoads(options) : undefined;
    const hostHeaderOf = hostHeaderRule(config, this.scheme);
    this.#nodeSettings = { connections, target, hostHeaderOf, loads: this.#loads?.value };
    this.#set = this.#firstSet(this.#named?.addresses() ?? addresses);
    this.#seenVersion = this.#named?.version ?? 0;
    this.#health = healthOf(config, options, this.#set.nodes);
    const loadWatch = this.#loads && loadObserver(this.#balancing.monotonicMs);
    this.observer = combineObservers(loadWatch, this.#health);
  }

  get nodes(): readonly UpstreamNode[] {
    return this.#set.nodes;
  }

  get retries(): number {
    return this.#config.retries ?? Math.max(this.nodes.length - 1, 0);
  }

  get noNodeReason(): CompiledUpstream["noNodeReason"] {
    return this.#named === undefined ? "no-nodes" : "unresolved";
  }

  prepare(): Promise<unknown> | undefined {
    return this.#named?.prepare();
  }

  pick(tried: NodeFilter | undefined, variable?: VariableReader): UpstreamNode | undefined {
    if (this.#named !== undefined && this.#named.version !== this.#seenVersion) this.#follow(this.#named);
    return this.#set.pick({ tried, down: this.#health?.down() }, variable);
  }

  retire(): void {
    this.#health?.retire();
  }

  dispose(): void {
    this.#isDisposed = true;
    releaseAll(this.nodes);
    this.#named?.release();
    this.#loads?.release();
    this.#health?.release();
  }

  #firstSet(addresses: readonly NodeAddress[]): NodeSet {
    try {
      return this.#createSet(addresses, []);
    } catch (error) {
      this.#named?.release();
      this.#loads?.release();
      throw error;
    }
  }

  /** Takes the nodes that the names stand for now; those that stay are the same objects with the same connections. */
  #follow(named: NamedNodes): void {
    this.#seenVersion = named.version;
    if (this.#isDisposed) return;
    const before = this.nodes;
    try {
      this.#set = this.#createSet(named.addresses(), before);
    } catch {
      // A balancer that refuses the new weights keeps the nodes it has.
      return;
    }
    const kept = new Set(this.nodes);
    releaseAll(before.filter((node) => !kept.has(node)));
    this.#health?.replaceNodes(this.nodes);
  }

  /** @throws GatewayError what a balancer refuses its nodes with; new ones are given back then */
  #createSet(addresses: readonly NodeAddress[], known: readonly UpstreamNode[]): NodeSet {
    const nodes = addresses.map((address) => {
      return known.find((node) => isSameNode(node, address)) ?? createNode(address, this.#nodeSettings);
    });
    this.#loads?.value.keepOnly(new Set(nodes.map(({ address }) => address)));
    try {
      return new NodeSet(nodes, this.#kind, this.#balancing);
    } catch (error) {
      releaseAll(nodes.filter((node) => !known.includes(node)));
      throw error;
    }
  }
}

function isSameNode(node: UpstreamNode, address: NodeAddress): boolean {
  const { domain, host, port, priority, weight } = node;
  const isSamePlace = host === address.host && port === address.port && domain === address.domain;
  return isSamePlace && priority === address.priority && weight === address.weight;
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

function healthOf(
  config: UpstreamConfig,
  { acquireChecker }: CompileOptions,
  nodes: readonly UpstreamNode[],
): UpstreamHealth | undefined {
  if (config.checks === undefined || acquireChecker === undefined) return undefined;
  const rules = { settings: compileChecks(config.checks), targetOf: targetRule(config) };
  return new UpstreamHealth(acquireChecker(), rules, nodes);
}

/** A node as its probes see it; a probe has no client, so the node is called by its own name (APISIX: health check). */
function targetRule({ checks, pass_host, upstream_host }: UpstreamConfig): (node: UpstreamNode) => HealthTarget {
  const { host, port } = checks?.active ?? {};
  const fixed = pass_host === "rewrite" ? upstream_host : undefined;
  return (node) => ({
    ip: node.host,
    port: port ?? node.port,
    hostname: host ?? node.host,
    hostHeader: fixed ?? node.domain ?? host ?? bracketed(node.host),
  });
}
