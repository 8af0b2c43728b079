import { expect, it } from "vitest";
import { randomHex } from "./random-hex.ts";

it("makes digits that are never the same, however many are asked for", () => {
  const seen = new Set<string>();
  for (let count = 0; count < 3_000; count += 1) seen.add(randomHex(8));
  for (let count = 0; count < 1_000; count += 1) seen.add(randomHex(16));
  expect(seen.size).toBe(4_000);
  for (const text of seen) expect(text).toMatch(/^(?:[\da-f]{16}){1,2}$/);
});
