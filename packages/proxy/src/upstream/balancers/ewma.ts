import type { UpstreamNode } from "../upstream-node.ts";
import type { BalancerKind } from "./balancer.ts";

/**
 * The faster of two nodes drawn at random, going by the average time of their recent answers; weights do not count
 * (APISIX `ewma`, after Finagle's peak EWMA).
 */
export const ewma: BalancerKind = {
  isLoadAware: true,
  create(nodes, { random, monotonicMs }) {
    return {
      pick(excluded) {
        const candidates = excluded === undefined ? nodes : nodes.filter((node) => !excluded.has(node));
        if (candidates.length < 2) return candidates[0];
        const first = Math.floor(random() * candidates.length);
        const step = 1 + Math.floor(random() * (candidates.length - 1));
        const now = monotonicMs();
        return faster(candidates[first], candidates[(first + step) % candidates.length], now);
      },
    };
  },
};

function faster(one: UpstreamNode | undefined, other: UpstreamNode | undefined, now: number): UpstreamNode | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.load.scoreMs(now) > other.load.scoreMs(now) ? other : one;
}
