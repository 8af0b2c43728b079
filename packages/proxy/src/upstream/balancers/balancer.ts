import type { UpstreamNode } from "../upstream-node.ts";

/** Reads a variable of the request by its APISIX name, `arg_user` say; absent: the request has no such value. */
export type VariableReader = (name: string) => string | undefined;

/** Nodes that an attempt must not use: those tried before, or those that are down. */
export interface NodeFilter {
  has(node: UpstreamNode): boolean;
}

/** Chooses among the nodes of one priority group; it may keep state between picks. */
export interface Balancer {
  /**
   * The node for one attempt, or nothing when every node is excluded.
   *
   * @param excluded absent when every node may be used
   * @param variable variables of the request, for balancers whose factory says `isKeyed`; absent: there are none
   */
  pick(excluded: NodeFilter | undefined, variable: VariableReader | undefined): UpstreamNode | undefined;
}

/** What a balancer may use beside its nodes. */
export interface BalancerOptions {
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** Milliseconds of a clock that never steps back. */
  readonly monotonicMs: () => number;
  /** `upstream.hash_on` and `upstream.key`. */
  readonly hashOn: string;
  readonly key: string | undefined;
}

/** One way of balancing, as `upstream.type` names it. */
export interface BalancerKind {
  create(nodes: readonly UpstreamNode[], options: BalancerOptions): Balancer;
  /** Whether picks depend on the request's variables. */
  readonly isKeyed?: boolean;
  /** Whether picks depend on the nodes' load, which is then counted. */
  readonly isLoadAware?: boolean;
}

/** Nodes that may be chosen at all: those with weight, or all alike when none has any (APISIX: node weights). */
export function weightedNodes(nodes: readonly UpstreamNode[]): readonly { node: UpstreamNode; weight: number }[] {
  const weighted = nodes.filter(({ weight }) => weight > 0);
  if (weighted.length === 0) return nodes.map((node) => ({ node, weight: 1 }));
  return weighted.map((node) => ({ node, weight: node.weight }));
}
