import { crc32 } from "node:zlib";
import { GatewayError } from "@fngate/kernel";
import type { UpstreamNode } from "../upstream-node.ts";
import type { BalancerKind, NodeFilter } from "./balancer.ts";
import { compileHashKey } from "./hash-key.ts";

/** Points on the ring per unit of weight (APISIX: `resty.chash`). */
const POINTS_PER_WEIGHT = 160;

/** Weights without a common divisor multiply the points; beyond this a ring would take too much memory and time. */
const MOST_POINTS = 1 << 21;

/** Points in ascending order, and the node of each. */
interface Ring {
  readonly points: Uint32Array;
  readonly owners: readonly UpstreamNode[];
}

/**
 * Consistent hashing on the ring that APISIX builds, so that the same key goes to the same node behind either
 * (APISIX `chash`). The ring holds every node: one that is down or tried is walked over, and no other key moves.
 */
export const chash: BalancerKind = {
  isKeyed: true,
  create(nodes, { hashOn, key }) {
    const shares = sharesOf(nodes);
    const keyOf = compileHashKey(hashOn, key);
    let ring: Ring | undefined;
    return {
      pick(excluded, variable) {
        // Built when first needed: most of a large configuration is never called by one gateway.
        ring ??= buildRing(shares);
        const text = variable === undefined ? "" : keyOf(variable);
        return walk(ring, crc32(Buffer.from(text, "latin1")), excluded);
      },
    };
  },
};

interface Share {
  readonly node: UpstreamNode;
  readonly points: number;
}

function sharesOf(nodes: readonly UpstreamNode[]): readonly Share[] {
  const divisor = nodes.reduce((found, { weight }) => greatestDivisor(found, weight), 0) || 1;
  const shares = nodes.map((node) => ({ node, points: (node.weight / divisor) * POINTS_PER_WEIGHT }));
  const total = shares.reduce((sum, { points }) => sum + points, 0);
  if (total <= MOST_POINTS) return shares;
  throw new GatewayError("UPSTREAM_INVALID", `chash needs ${total} points for these weights, at most ${MOST_POINTS}`);
}

function greatestDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestDivisor(other, one % other);
}

function buildRing(shares: readonly Share[]): Ring {
  const pairs: { readonly point: number; readonly node: UpstreamNode }[] = [];
  for (const { node, points } of shares) addPoints(pairs, node, points);
  pairs.sort((left, right) => left.point - right.point);
  return { points: Uint32Array.from(pairs, ({ point }) => point), owners: pairs.map(({ node }) => node) };
}

/** Each point is the checksum of the node's name and of the point before it, little endian. */
function addPoints(pairs: { point: number; node: UpstreamNode }[], node: UpstreamNode, count: number): void {
  const base = crc32(`${node.host}:${node.port}`.replaceAll(":", "\0"));
  const previous = Buffer.alloc(4);
  for (let index = 0; index < count; index += 1) {
    const point = crc32(previous, base);
    pairs.push({ point, node });
    previous.writeUInt32LE(point);
  }
}

/** The owner of the first point at or after `hash`, going around, that is not excluded. */
function walk({ points, owners }: Ring, hash: number, excluded: NodeFilter | undefined): UpstreamNode | undefined {
  const start = firstAtOrAfter(points, hash);
  for (let step = 0; step < owners.length; step += 1) {
    const node = owners[(start + step) % owners.length];
    if (node !== undefined && excluded?.has(node) !== true) return node;
  }
  return undefined;
}

function firstAtOrAfter(points: Uint32Array, hash: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((points[middle] ?? 0) < hash) low = middle + 1;
    else high = middle;
  }
  return low;
}
