import type { UpstreamNode } from "../upstream-node.ts";
import { type BalancerKind, weightedNodes } from "./balancer.ts";

interface Entry {
  readonly node: UpstreamNode;
  readonly weight: number;
  /** Number of the pick that chose it last. */
  lastPick: number;
}

/**
 * The node with the fewest requests under way for its weight, counting the one to be sent; of several alike the one
 * that waited longest (APISIX `least_conn`). WebSockets count for as long as they are open.
 */
export const leastConn: BalancerKind = {
  isLoadAware: true,
  create(nodes) {
    const entries: Entry[] = weightedNodes(nodes).map((entry) => ({ ...entry, lastPick: 0 }));
    let picks = 0;
    return {
      pick(excluded) {
        let best: Entry | undefined;
        let bestScore = Number.POSITIVE_INFINITY;
        for (const entry of entries) {
          if (excluded?.has(entry.node) === true) continue;
          const score = (entry.node.load.inFlight + 1) / entry.weight;
          if (best !== undefined && (score > bestScore || (score === bestScore && entry.lastPick >= best.lastPick)))
            continue;
          best = entry;
          bestScore = score;
        }
        if (best === undefined) return undefined;
        picks += 1;
        best.lastPick = picks;
        return best.node;
      },
    };
  },
};
