import { GatewayError } from "@fngate/kernel";

declare const revisionBrand: unique symbol;

/** A point in the store's history: a decimal string (etcd counts in 64 bits), compared only by {@link compareRevisions}. */
export type Revision = string & { readonly [revisionBrand]: true };

/** Reads a revision. Raises `STORE_UNAVAILABLE` when the text is not a decimal number, which no sound back end sends. */
export function parseRevision(text: string | number | bigint): Revision {
  const decimal = String(text);
  if (!/^\d+$/.test(decimal)) throw new GatewayError("STORE_UNAVAILABLE", `not a store revision: "${decimal}"`);
  return decimal.replace(/^0+(?=\d)/, "") as Revision;
}

/** Negative when `left` is earlier than `right`, 0 when equal, positive when later. */
export function compareRevisions(left: Revision, right: Revision): number {
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
