import { hash, timingSafeEqual } from "node:crypto";

/** Whether two secrets are the same; how long that takes tells neither where they differ nor how long one is. */
export function isSameSecret(given: string | Uint8Array, expected: string | Uint8Array): boolean {
  return timingSafeEqual(hash("sha256", given, "buffer"), hash("sha256", expected, "buffer"));
}
