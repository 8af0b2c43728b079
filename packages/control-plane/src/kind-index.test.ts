import { parseRevision, type StoreEntry } from "@fngate/store";
import fc from "fast-check";
import { expect, it } from "vitest";
import { compareCreation, KindIndex } from "./kind-index.ts";

function entryOf(key: string, created: number): StoreEntry {
  return { key, value: "{}", createRevision: parseRevision(created), modRevision: parseRevision(created) };
}

const anyKey = fc.string({ unit: fc.constantFrom("a", "b", "/", "1"), maxLength: 3 });
const anyChange = fc.record({ key: anyKey, created: fc.integer({ min: 8, max: 12 }), isDelete: fc.boolean() });

it("any run of changes leaves what a map and a sort would", () => {
  fc.assert(
    fc.property(fc.array(anyChange), fc.array(anyChange), anyKey, (initial, changes, prefix) => {
      const model = new Map(initial.map(({ key, created }) => [key, entryOf(key, created)]));
      const index = new KindIndex([...model.values()]);
      for (const { key, created, isDelete } of changes) {
        const entry = entryOf(key, created);
        if (isDelete) model.delete(key);
        else model.set(key, entry);
        if (isDelete) index.delete(key);
        else index.set(entry);
        expect(index.get(key)).toBe(model.get(key));
      }
      const byKey = [...model.values()].toSorted((left, right) => (left.key < right.key ? -1 : 1));
      expect(index.byKey).toEqual(byKey);
      expect(index.byCreation).toEqual(byKey.toSorted(compareCreation));
      expect(index.startingWith(prefix)).toEqual(byKey.filter(({ key }) => key.startsWith(prefix)));
    }),
  );
});
