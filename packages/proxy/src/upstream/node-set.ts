import type { Balancer, BalancerKind, BalancerOptions, NodeFilter, VariableReader } from "./balancers/balancer.ts";
import type { UpstreamNode } from "./upstream-node.ts";

/** The nodes of an upstream with one balancer per priority group. */
export class NodeSet {
  readonly nodes: readonly UpstreamNode[];
  readonly #groups: readonly Balancer[];

  constructor(nodes: readonly UpstreamNode[], kind: BalancerKind, options: BalancerOptions) {
    this.nodes = nodes;
    this.#groups = nodes.length <= 1 ? [] : groupByPriority(nodes).map((group) => kind.create(group, options));
  }

  /** A node that is not excluded, of the highest priority that has one. */
  pick(excluded: NodeFilter | undefined, variable: VariableReader | undefined): UpstreamNode | undefined {
    // A lone node needs no balancer and may be tried again (APISIX: one node bypasses the balancer).
    if (this.nodes.length <= 1) return this.nodes[0];
    for (const group of this.#groups) {
      const node = group.pick(excluded, variable);
      if (node !== undefined) return node;
    }
    return undefined;
  }
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
