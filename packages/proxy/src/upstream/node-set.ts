import type { Balancer, BalancerKind, BalancerOptions, NodeFilter, VariableReader } from "./balancers/balancer.ts";
import { Reserve } from "./reserve.ts";
import type { UpstreamNode } from "./upstream-node.ts";

/** The nodes of one priority. */
interface Group {
  readonly balancer: Balancer;
  /** Absent where no node is spared, and where the balancer finds nodes by a key. */
  readonly reserve: Reserve | undefined;
}

/** Nodes that an attempt must not use. */
export interface Exclusions {
  readonly tried: NodeFilter | undefined;
  readonly down: NodeFilter | undefined;
}

/** The nodes of an upstream with one balancer per priority group. */
export class NodeSet {
  readonly nodes: readonly UpstreamNode[];
  readonly #groups: readonly Group[];

  constructor(nodes: readonly UpstreamNode[], kind: BalancerKind, options: BalancerOptions) {
    this.nodes = nodes;
    const groups = nodes.length <= 1 ? [] : groupByPriority(nodes);
    this.#groups = groups.map((group) => ({
      balancer: kind.create(group, options),
      reserve: kind.isKeyed === true ? undefined : Reserve.of(group),
    }));
  }

  /** A node that is not excluded, of the highest priority that has one. */
  pick({ down, tried }: Exclusions, variable: VariableReader | undefined): UpstreamNode | undefined {
    // A lone node needs no balancer and may be tried again (APISIX: one node bypasses the balancer).
    if (this.nodes.length <= 1) return this.nodes[0];
    const excluded = down === undefined ? tried : either(down, tried);
    for (const { balancer, reserve } of this.#groups) {
      const node =
        balancer.pick(excluded, variable) ?? (down === undefined ? undefined : reserve?.pick(down, excluded));
      if (node !== undefined) return node;
    }
    return undefined;
  }
}

/** Nodes that either filter excludes. */
function either(one: NodeFilter, other: NodeFilter | undefined): NodeFilter {
  return other === undefined ? one : { has: (node) => one.has(node) || other.has(node) };
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
