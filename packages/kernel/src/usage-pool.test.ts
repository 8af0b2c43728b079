import { describe, expect, it } from "vitest";
import { UsagePool } from "./usage-pool.ts";

describe("UsagePool", () => {
  it("makes a value once and shares it among users of the same key", () => {
    const made: string[] = [];
    const pool = new UsagePool<string, { readonly key: string }>(() => undefined);
    const create = (key: string) => {
      made.push(key);
      return { key };
    };

    const first = pool.acquire("a", create);
    const second = pool.acquire("a", create);
    pool.acquire("b", create);

    expect(second.value).toBe(first.value);
    expect(made).toEqual(["a", "b"]);
    expect(pool.size).toBe(2);
    expect([...pool.values()].map(({ key }) => key)).toEqual(["a", "b"]);
  });

  it("disposes of a value when its last user releases it, and makes a new one afterwards", () => {
    const disposed: string[] = [];
    const pool = new UsagePool<string, number>((value, key) => disposed.push(`${key}${value}`));
    const first = pool.acquire("a", () => 1);
    const second = pool.acquire("a", () => 2);

    first.release();
    expect(disposed).toEqual([]);
    second.release();
    expect(disposed).toEqual(["a1"]);
    expect(pool.size).toBe(0);
    expect(pool.acquire("a", () => 3).value).toBe(3);
  });

  it("counts only the first release of a user", () => {
    const disposed: number[] = [];
    const pool = new UsagePool<string, number>((value) => disposed.push(value));
    const first = pool.acquire("a", () => 1);
    pool.acquire("a", () => 1);

    first.release();
    first.release();

    expect(disposed).toEqual([]);
    expect(pool.size).toBe(1);
  });

  it("keeps a value across a reload that acquires before it releases", () => {
    const disposed: number[] = [];
    const pool = new UsagePool<string, number>((value) => disposed.push(value));
    const old = pool.acquire("a", () => 1);
    const next = pool.acquire("a", () => 2);
    old.release();

    expect(next.value).toBe(1);
    expect(disposed).toEqual([]);
  });

  it("keeps nothing when making a value fails", () => {
    const pool = new UsagePool<string, number>(() => undefined);

    expect(() =>
      pool.acquire("a", () => {
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(pool.size).toBe(0);
  });
});
