/** Something with a weight that is made of several parts. */
export interface Weighted<TPart> {
  readonly weight: number;
  readonly records: readonly TPart[];
}

/** Common multiples beyond this are not worth exact shares; they are rounded then. */
const LARGEST_MULTIPLE = 5040;

/**
 * Gives the parts of each item its weight between them, in whole numbers: all weights are multiplied by the least
 * common multiple of the numbers of parts (APISIX: weights of SRV targets with several addresses).
 */
export function spreadWeights<TPart extends { readonly weight: number }>(items: readonly Weighted<TPart>[]): TPart[] {
  const counts = items.map(({ records }) => records.length).filter((count) => count > 0);
  const multiple = Math.min(counts.reduce(leastCommonMultiple, 1), LARGEST_MULTIPLE);
  return items.flatMap(({ weight, records }) => {
    const share = Math.ceil((weight * multiple) / records.length);
    return records.map((record) => ({ ...record, weight: share }));
  });
}

function leastCommonMultiple(one: number, other: number): number {
  return (one / greatestCommonDivisor(one, other)) * other;
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other);
}
