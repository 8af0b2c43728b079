import { describe, expect, it } from "vitest";
import { editTree, nextOwner } from "./edit-tree.ts";
import type { RadixNode } from "./radix-node.ts";

type Tree = RadixNode<number> | undefined;

function put(root: Tree, key: string, value: number | undefined): Tree {
  return editTree<number>(root, {
    text: key,
    keyLength: key.length,
    slot: "exact",
    owner: nextOwner(),
    change: () => value,
  });
}

/** Puts every key in one go, with the value its index gives. */
function putAll(root: Tree, keys: readonly string[], valueAt: (index: number) => number | undefined): Tree {
  const owner = nextOwner();
  return keys.reduce<Tree>(
    (tree, key, index) =>
      editTree<number>(tree, { text: key, keyLength: key.length, slot: "exact", owner, change: () => valueAt(index) }),
    root,
  );
}

function nodesOf(root: Tree): Set<RadixNode<number>> {
  return new Set(root === undefined ? [] : [root, ...root.children.flatMap((child) => [...nodesOf(child)])]);
}

function keysOf(root: Tree): string[] {
  if (root === undefined) return [];
  const own = root.exact === undefined ? [] : [root.key.slice(0, root.end)];
  return [...own, ...root.children.flatMap(keysOf)];
}

const KEYS = Array.from({ length: 5000 }, (_, index) => `/service-${index % 50}/v${index % 3}/item-${index}`);

function build(): Tree {
  return putAll(undefined, KEYS, (index) => index);
}

describe("editTree", () => {
  it("keeps keys in the order of their code units", () => {
    expect(keysOf(build())).toEqual(KEYS.toSorted());
  });

  it("copies no more nodes than the changed key is long, and shares the rest", () => {
    const before = build();
    const old = nodesOf(before);
    for (const [key, value] of [
      ["/service-7/v1/item-7", 1],
      ["/service-7/new", 2],
      [KEYS[4321] ?? "", undefined],
    ] as const) {
      const made = [...nodesOf(put(before, key, value))].filter((node) => !old.has(node));
      expect(made.length).toBeGreaterThan(0);
      expect(made.length).toBeLessThanOrEqual(key.length + 1);
    }
  });

  it("leaves the old tree as it was", () => {
    const before = build();
    const after = put(put(before, "/service-1/x", 1), KEYS[0] ?? "", undefined);
    expect(keysOf(before)).toEqual(KEYS.toSorted());
    expect(keysOf(after)).toEqual([...KEYS.slice(1), "/service-1/x"].toSorted());
  });

  it("gives back the same tree when nothing changes", () => {
    const tree = build();
    expect(put(tree, "/service-1/nowhere", undefined)).toBe(tree);
    expect(put(tree, "/ser", undefined)).toBe(tree);
    expect(put(tree, KEYS[9] ?? "", 9)).toBe(tree);
  });

  it("has no more nodes after adding and removing than before", () => {
    const extra = KEYS.map((key) => `${key.slice(0, -1)}/more/${key}`);
    const before = build();
    const full = putAll(before, extra, () => 1);
    const after = putAll(full, extra, () => undefined);
    expect(nodesOf(full).size).toBeGreaterThan(nodesOf(before).size);
    expect(nodesOf(after).size).toBe(nodesOf(before).size);
    expect(putAll(after, KEYS, () => undefined)).toBeUndefined();
  });
});
