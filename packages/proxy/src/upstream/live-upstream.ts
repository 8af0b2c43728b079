import type { Connections, Target, Usage } from "@fngate/kernel";
import { compileChecks } from "../health/check-settings.ts";
import type { HealthTarget } from "../health/health-checker.ts";
import { either, UpstreamHealth } from "../health/upstream-health.ts";
import { type AttemptObserver, combineObservers, loadObserver } from "./attempt-observer.ts";
import type { BalancerKind, BalancerOptions, NodeFilter, VariableReader } from "./balancers/balancer.ts";
import type { CompiledUpstream, CompileOptions } from "./compiled-upstream.ts";
import { UpstreamLoads } from "./node-load.ts";
import { NodeSet } from "./node-set.ts";
import { type NodeAddress, parseNodes } from "./parse-nodes.ts";
import type { UpstreamConfig } from "./upstream-config.ts";
import { createNode, type NodeSettings, type UpstreamNode } from "./upstream-node.ts";
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
  #set: NodeSet;

  constructor(config: UpstreamConfig, connections: Connections, options: CompileOptions) {
    this.scheme = schemeOf(config);
    this.retryTimeoutMs = (config.retry_timeout ?? 0) * 1000;
    this.#config = config;
    this.#kind = balancerOf(config);
    this.#balancing = balancingOf(config, options);
    this.isKeyed = this.#kind.isKeyed === true;
    const target = targetOf(config, this.scheme);
    this.timeouts = target.timeouts;
    const addresses = parseNodes(config.nodes, DEFAULT_PORTS[this.scheme]);
    this.#loads = this.#kind.isLoadAware === true ? acquireLoads(options) : undefined;
    const hostHeaderOf = hostHeaderRule(config, this.scheme);
    this.#nodeSettings = { connections, target, hostHeaderOf, loads: this.#loads?.value };
    this.#set = this.#createSet(addresses);
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

  pick(tried: NodeFilter | undefined, variable?: VariableReader): UpstreamNode | undefined {
    const down = this.#health?.down();
    return this.#set.pick(down === undefined ? tried : either(down, tried), variable);
  }

  dispose(): void {
    releaseAll(this.nodes);
    this.#loads?.release();
    this.#health?.release();
  }

  #createSet(addresses: readonly NodeAddress[]): NodeSet {
    const nodes = addresses.map((address) => createNode(address, this.#nodeSettings));
    this.#loads?.value.keepOnly(new Set(nodes.map(({ address }) => address)));
    try {
      return new NodeSet(nodes, this.#kind, this.#balancing);
    } catch (error) {
      // A balancer may refuse its nodes; what those hold is given back then.
      releaseAll(nodes);
      this.#loads?.release();
      throw error;
    }
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
    hostHeader: fixed ?? node.domain ?? host ?? node.host,
  });
}
