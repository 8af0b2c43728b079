import type { NodeFilter } from "./balancers/balancer.ts";
import type { UpstreamNode } from "./upstream-node.ts";

/**
 * The nodes of weight 0 of a group that has others. They stand in for those when health checks have taken all of them
 * out, evenly, as nodes do that are without weight from the start (APISIX: the weights of healthy nodes count).
 */
export class Reserve {
  readonly #weighted: readonly UpstreamNode[];
  readonly #spared: readonly UpstreamNode[];
  #turn = 0;

  private constructor(weighted: readonly UpstreamNode[], spared: readonly UpstreamNode[]) {
    this.#weighted = weighted;
    this.#spared = spared;
  }

  /** Nothing for nodes that all have weight, or that all have none. */
  static of(nodes: readonly UpstreamNode[]): Reserve | undefined {
    const weighted = nodes.filter(({ weight }) => weight > 0);
    if (weighted.length === 0 || weighted.length === nodes.length) return undefined;
    return new Reserve(
      weighted,
      nodes.filter(({ weight }) => weight === 0),
    );
  }

  /** The next one that may be used, when all nodes with weight are down: that some were tried is no reason. */
  pick(down: NodeFilter, excluded: NodeFilter | undefined): UpstreamNode | undefined {
    if (!this.#weighted.every((node) => down.has(node))) return undefined;
    for (let step = 0; step < this.#spared.length; step += 1) {
      const node = this.#spared[this.#turn % this.#spared.length];
      this.#turn += 1;
      if (node !== undefined && excluded?.has(node) !== true) return node;
    }
    return undefined;
  }
}
