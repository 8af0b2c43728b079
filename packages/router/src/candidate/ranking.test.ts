import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareRanks, rankKey } from "./ranking.ts";

const ranked = fc.record({
  priority: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.maxSafeInteger(), fc.double({ noNaN: true })),
  uri: fc.constantFrom("/", "/a", "/b", "/a*", "/aa"),
  id: fc.string({ minLength: 1, unit: fc.constantFrom("0", "1", "a", "-", "\u00e9") }),
});

describe("ranking", () => {
  it("orders keys as it orders candidates", () => {
    fc.assert(
      fc.property(ranked, ranked, (left, right) => {
        const byKey = rankKey(left) < rankKey(right) ? -1 : Number(rankKey(left) > rankKey(right));
        expect(byKey).toBe(Math.sign(compareRanks(left, right)));
      }),
      { seed: 7, numRuns: 2000 },
    );
  });
});
