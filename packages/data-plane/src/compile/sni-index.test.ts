import { parseRevision } from "@fngate/store";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Held } from "./held.ts";
import type { CompiledSsl } from "./snapshot.ts";
import { SniIndex } from "./sni-index.ts";

const ENTRY = { key: "/k", value: "{}", createRevision: parseRevision(1), modRevision: parseRevision(1) };

function ssl(id: string, names: readonly string[], over: Partial<CompiledSsl> = {}): CompiledSsl {
  const held = new Held([]);
  return {
    ...{ id, names, held, plugins: [], pairs: [], type: "server", isEnabled: true, entry: ENTRY },
    ...{ client: undefined, protocols: undefined, ...over },
  };
}

function indexOf(...objects: readonly CompiledSsl[]): SniIndex {
  return objects.reduce((index, object) => index.with(undefined, object), SniIndex.empty);
}

const found = (index: SniIndex, name: string) => index.find(name)?.id;

test.each([
  { names: ["test.com"], name: "test.com", expected: true },
  { names: ["test.com"], name: "www.test.com", expected: false },
  { names: ["*.test2.com"], name: "www.test2.com", expected: true },
  { names: ["*.test2.com"], name: "aa.bb.test2.com", expected: false },
  { names: ["*.test2.com"], name: "test2.com", expected: false },
  { names: ["*"], name: "aa.bb.test2.com", expected: true },
  { names: ["*"], name: "localhost", expected: true },
  { names: ["*est.com"], name: "test.com", expected: true },
  { names: ["*est.com"], name: "w.test.com", expected: false },
  { names: ["a.com", "*.b.com"], name: "x.b.com", expected: true },
])("a certificate for $names serves $name: $expected", ({ names, name, expected }) => {
  expect(found(indexOf(ssl("1", names)), name)).toBe(expected ? "1" : undefined);
});

test("an exact name wins over a wildcard, and a longer wildcard over a shorter one", () => {
  const index = indexOf(ssl("all", ["*"]), ssl("wild", ["*.a.com"]), ssl("exact", ["x.a.com"]));
  expect(found(index, "x.a.com")).toBe("exact");
  expect(found(index, "y.a.com")).toBe("wild");
  expect(found(index, "b.com")).toBe("all");
});

test("when the longest wildcard would stand for two labels no shorter one is tried", () => {
  const index = indexOf(ssl("all", ["*"]), ssl("wild", ["*.a.com"]));
  expect(found(index, "x.y.a.com")).toBeUndefined();
});

test("of two objects with one name the first counts, also after it was changed, and the other when it is gone", () => {
  const first = ssl("1", ["a.com"]);
  const changed = ssl("1", ["a.com", "b.com"]);
  const index = indexOf(first, ssl("2", ["a.com"])).with(first, changed);
  expect(found(index, "a.com")).toBe("1");
  expect(found(index, "b.com")).toBe("1");
  expect(found(index.with(changed, undefined), "a.com")).toBe("2");
});

test("objects that are switched off or belong to clients serve nothing", () => {
  const on = ssl("1", ["a.com"]);
  const off = ssl("1", ["a.com"], { isEnabled: false });
  expect(found(indexOf(off), "a.com")).toBeUndefined();
  expect(found(indexOf(ssl("2", [], { type: "client" })), "a.com")).toBeUndefined();
  expect(found(indexOf(on).with(on, off), "a.com")).toBeUndefined();
});

test("it knows whether any object asks for client certificates", () => {
  const mutual = ssl("1", ["a.com"], { client: { ca: "", authorities: [], maxDepth: 1, skip: undefined } });
  const index = indexOf(mutual);
  expect(index.verifiesClients).toBe(true);
  expect(index.with(mutual, ssl("1", ["a.com"])).verifiesClients).toBe(false);
  expect(indexOf(ssl("1", ["a.com"])).verifiesClients).toBe(false);
});

test("after any sequence of changes it finds what an index built from scratch finds", () => {
  const name = fc.constantFrom("a.com", "*.a.com", "x.a.com", "*.x.a.com", "*");
  const change = fc.tuple(
    fc.constantFrom("1", "2", "3"),
    fc.option(fc.uniqueArray(name, { minLength: 1, maxLength: 3 }), { nil: undefined }),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const current = new Map<string, CompiledSsl>();
      let index = SniIndex.empty;
      for (const [id, names] of changes) {
        const next = names && ssl(id, names);
        index = index.with(current.get(id), next);
        if (next === undefined) current.delete(id);
        else current.set(id, next);
      }
      const fresh = indexOf(...current.values());
      for (const asked of ["a.com", "x.a.com", "y.a.com", "y.x.a.com", "b.com"]) {
        const isFound = index.find(asked) !== undefined;
        expect(isFound).toBe(fresh.find(asked) !== undefined);
      }
    }),
  );
});
