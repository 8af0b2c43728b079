import { describe, expect, it } from "vitest";
import { SharedPool } from "./shared-pool.ts";

function poolOfObjects(): (key: string) => object {
  const pool = new SharedPool<object>();
  return (key) => pool.take(key, () => ({ key }));
}

describe("SharedPool", () => {
  it("gives the same value for the same key", () => {
    const take = poolOfObjects();
    expect(take("a")).toBe(take("a"));
    expect(take("a")).not.toBe(take("b"));
  });

  it("shares what repeats, however much passed through that did not", () => {
    const take = poolOfObjects();
    for (let index = 0; index < 100_000; index += 1) take(`once ${index}`);
    expect(take("often")).toBe(take("often"));
  });

  it("keeps no value of a long key", () => {
    const take = poolOfObjects();
    const key = "k".repeat(10_000);
    expect(take(key)).not.toBe(take(key));
  });

  it("keeps nothing that could not be made", () => {
    const pool = new SharedPool<object>();
    const fail = (): object => {
      throw new Error("no");
    };
    expect(() => pool.take("a", fail)).toThrow("no");
    expect(pool.take("a", () => ({ made: true }))).toEqual({ made: true });
  });
});
