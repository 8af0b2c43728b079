import { describe, expect, it } from "vitest";
import { NodeLoad } from "../node-load.ts";
import type { UpstreamNode } from "../upstream-node.ts";
import type { Balancer, VariableReader } from "./balancer.ts";
import { BALANCERS } from "./index.ts";

/** A node that is never connected to. */
function nodeAt(port: number, weight = 1): UpstreamNode {
  return {
    host: "127.0.0.1",
    domain: undefined,
    port,
    weight,
    priority: 0,
    address: `127.0.0.1:${port}`,
    hostHeader: undefined,
    load: new NodeLoad(),
    endpointFor: () => {
      throw new Error("not to be called");
    },
    release: () => undefined,
  };
}

/** Numbers that look random and are the same in every run. */
function numbers(): () => number {
  let state = 1;
  return () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** One row per balancer: how it is made, and whether a heavier node gets more of many picks. */
const CONTRACT = [
  { type: "roundrobin", heavyGetsMore: true },
  { type: "chash", heavyGetsMore: true },
  { type: "least_conn", heavyGetsMore: true },
  { type: "ewma", heavyGetsMore: false },
];

function create(type: string, nodes: readonly UpstreamNode[]): Balancer {
  const kind = BALANCERS.get(type);
  if (kind === undefined) throw new Error(`no balancer ${type}`);
  return kind.create(nodes, { random: numbers(), monotonicMs: () => 0, hashOn: "vars", key: "uri" });
}

/** A request of its own for each call. */
const nextRequest = (() => {
  let count = 0;
  return (): VariableReader => {
    count += 1;
    const uri = `/${count}`;
    return (name) => (name === "uri" ? uri : "192.0.2.1");
  };
})();

it("has a row for every balancer", () => {
  expect(CONTRACT.map(({ type }) => type)).toEqual([...BALANCERS.keys()]);
});

describe.each(CONTRACT)("$type", ({ type, heavyGetsMore }) => {
  it("uses every node when many requests are open at once", () => {
    const nodes = [nodeAt(1), nodeAt(2), nodeAt(3)];
    const balancer = create(type, nodes);
    const picked = Array.from({ length: 200 }, () => {
      const node = balancer.pick(undefined, nextRequest());
      if (node !== undefined) node.load.inFlight += 1;
      return node;
    });
    expect(new Set(picked)).toEqual(new Set(nodes));
  });

  it(`${heavyGetsMore ? "gives" : "does not give"} a node of three times the weight far more requests`, () => {
    const nodes = [nodeAt(1), nodeAt(2, 3)];
    const balancer = create(type, nodes);
    const picked = Array.from({ length: 2_000 }, () => {
      const node = balancer.pick(undefined, nextRequest());
      if (node !== undefined) node.load.inFlight += 1;
      return node;
    });
    const light = picked.filter((node) => node === nodes[0]).length;
    expect(picked.length - light > 2 * light).toBe(heavyGetsMore);
  });

  it("never picks an excluded node, and none when all are excluded", () => {
    const nodes = [nodeAt(1), nodeAt(2), nodeAt(3)];
    const [one, two, three] = nodes;
    const balancer = create(type, nodes);
    for (let count = 0; count < 50; count += 1) {
      const request = nextRequest();
      expect(balancer.pick({ has: (node) => node !== two }, request)).toBe(two);
      expect([one, three]).toContain(balancer.pick({ has: (node) => node === two }, request));
      expect(balancer.pick({ has: () => true }, request)).toBeUndefined();
    }
  });

  it("picks nothing among no nodes", () => {
    expect(create(type, []).pick(undefined, nextRequest())).toBeUndefined();
  });
});
