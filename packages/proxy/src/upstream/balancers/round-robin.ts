import type { UpstreamNode } from "../upstream-node.ts";
import { type Balancer, type BalancerKind, type NodeFilter, weightedNodes } from "./balancer.ts";

interface Entry {
  readonly node: UpstreamNode;
  readonly weight: number;
  current: number;
}

/**
 * Weighted round robin, interleaved: in any run of sum/gcd picks each node is chosen weight/gcd times.
 *
 * Nodes of weight 0 are left out unless all have it, then all count alike (APISIX `roundrobin`). The order is
 * nginx's smooth one, which spreads a heavy node's turns; APISIX itself gives them in a row. The first pick is
 * random so that gateways started together do not all begin with the same node.
 */
export const roundRobin: BalancerKind = {
  create(nodes, { random }) {
    const entries: Entry[] = weightedNodes(nodes).map((entry) => ({ ...entry, current: 0 }));
    const skipped = Math.floor(random() * entries.length);
    for (let count = 0; count < skipped; count += 1) pickSmooth(entries, undefined);
    const [first] = entries;
    if (entries.length === 1 && first !== undefined) return oneNode(first.node);
    return { pick: (excluded) => pickSmooth(entries, excluded) };
  },
};

function oneNode(node: UpstreamNode): Balancer {
  return { pick: (excluded) => (excluded?.has(node) === true ? undefined : node) };
}

/** Every candidate gains its weight, the richest is chosen and pays the sum. */
function pickSmooth(entries: readonly Entry[], excluded: NodeFilter | undefined): UpstreamNode | undefined {
  let best: Entry | undefined;
  let sum = 0;
  for (const entry of entries) {
    if (excluded?.has(entry.node) === true) continue;
    entry.current += entry.weight;
    sum += entry.weight;
    if (best === undefined || entry.current > best.current) best = entry;
  }
  if (best === undefined) return undefined;
  best.current -= sum;
  return best.node;
}
