import { createRoundRobin } from "./round-robin.ts";
import type { UpstreamNode } from "./upstream-node.ts";

/** Chooses among the nodes of one priority group; it may keep state between picks. */
export interface Balancer {
  /**
   * The node for one attempt, or nothing when every node was tried.
   *
   * @param tried nodes of earlier attempts of the same request; absent on the first
   */
  pick(tried: ReadonlySet<UpstreamNode> | undefined): UpstreamNode | undefined;
}

/** Makes the balancer of one priority group; `random` gives numbers in [0, 1). */
export type BalancerFactory = (nodes: readonly UpstreamNode[], random: () => number) => Balancer;

/** Every balancer by its wire name (`upstream.type`). */
export const BALANCERS: ReadonlyMap<string, BalancerFactory> = new Map([["roundrobin", createRoundRobin]]);
