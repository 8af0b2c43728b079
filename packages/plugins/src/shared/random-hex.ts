import { randomFillSync } from "node:crypto";

/** Random bytes in store: asking for a few at a time costs ten times as much as what is done with them. */
const pool = Buffer.alloc(4096);

let used = pool.length;

/** So many random bytes, at most 4096, as lower-case hexadecimal digits; no two calls get the same ones. */
export function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const text = pool.toString("hex", used, used + bytes);
  used += bytes;
  return text;
}
