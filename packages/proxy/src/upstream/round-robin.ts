import type { Balancer } from "./balancer.ts";
import type { UpstreamNode } from "./upstream-node.ts";

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
export function createRoundRobin(nodes: readonly UpstreamNode[], random: () => number): Balancer {
  const weighted = nodes.filter((node) => node.weight > 0);
  const entries: Entry[] =
    weighted.length === 0
      ? nodes.map((node) => ({ node, weight: 1, current: 0 }))
      : weighted.map((node) => ({ node, weight: node.weight, current: 0 }));
  const skipped = Math.floor(random() * entries.length);
  for (let count = 0; count < skipped; count += 1) pickSmooth(entries, undefined);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined) return { pick: (tried) => untried(first.node, tried) };
  return { pick: (tried) => pickSmooth(entries, tried) };
}

function untried(node: UpstreamNode, tried: ReadonlySet<UpstreamNode> | undefined): UpstreamNode | undefined {
  return tried?.has(node) === true ? undefined : node;
}

/** Every candidate gains its weight, the richest is chosen and pays the sum. */
function pickSmooth(entries: readonly Entry[], tried: ReadonlySet<UpstreamNode> | undefined): UpstreamNode | undefined {
  let best: Entry | undefined;
  let sum = 0;
  for (const entry of entries) {
    if (tried?.has(entry.node) === true) continue;
    entry.current += entry.weight;
    sum += entry.weight;
    if (best === undefined || entry.current > best.current) best = entry;
  }
  if (best === undefined) return undefined;
  best.current -= sum;
  return best.node;
}
