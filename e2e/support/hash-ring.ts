import { crc32 } from "node:zlib";

const POINTS_PER_WEIGHT = 160;

/**
 * The nodes that APISIX's consistent hashing has for a key, the first choice first, found the plain way: every point of
 * every node, sorted. Weights have no common divisor.
 */
export function nodesOfKey(weights: Readonly<Record<string, number>>, key: string): readonly string[] {
  const points = Object.entries(weights).flatMap(([node, weight]) => pointsOf(node, weight * POINTS_PER_WEIGHT));
  points.sort((one, other) => one.point - other.point);
  const wanted = crc32(key);
  const around = [...points.filter(({ point }) => point >= wanted), ...points.filter(({ point }) => point < wanted)];
  return [...new Set(around.map(({ node }) => node))];
}

/** The first of {@link nodesOfKey}. */
export function nodeOfKey(weights: Readonly<Record<string, number>>, key: string): string | undefined {
  return nodesOfKey(weights, key)[0];
}

/** A node's points: each is the checksum of its name, with NUL for colons, and of the point before. */
function pointsOf(node: string, count: number): { readonly point: number; readonly node: string }[] {
  const name = Buffer.from(node.replaceAll(":", "\0"));
  const previous = Buffer.alloc(4);
  return Array.from({ length: count }, () => {
    const point = crc32(Buffer.concat([name, previous]));
    previous.writeUInt32LE(point);
    return { point, node };
  });
}
