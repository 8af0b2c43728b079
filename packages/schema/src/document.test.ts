import { describe, expect, it } from "vitest";
import { documentSections, readDocumentItem } from "./document.ts";
import { registry } from "./resources/index.ts";

function read(plural: string, item: Readonly<Record<string, unknown>>, index = 0) {
  const section = registry.byPlural(plural);
  if (section === undefined) throw new Error(`no kind ${plural}`);
  const { definition, ...rest } = readDocumentItem(section, item, index);
  return { kind: definition.kind, ...rest };
}

describe("a declarative document", () => {
  it("has a section for every kind but those that live below another, which stand among those", () => {
    const plurals = documentSections().map(({ plural }) => plural);
    const guests = registry.all().filter(({ plural }) => !plurals.includes(plural));
    expect(guests.map(({ plural }) => plural)).toEqual(["credentials", "graphql_cost_decorations"]);
  });

  it.each([
    { plural: "routes", item: { id: "r1", uri: "/" }, id: "r1", value: { uri: "/", id: "r1" } },
    { plural: "routes", item: { id: 7, uri: "/" }, id: "7", value: { uri: "/", id: "7" } },
    { plural: "consumers", item: { username: "jack" }, id: "jack", value: { username: "jack" } },
    { plural: "plugin_metadata", item: { id: "p", a: 1 }, id: "p", value: { a: 1, id: "p" } },
    { plural: "secrets", item: { id: "vault/1", uri: "x" }, id: "vault/1", value: { uri: "x", id: "vault/1" } },
  ])("names $plural item $item by its id", ({ plural, item, id, value }) => {
    expect(read(plural, item)).toMatchObject({ kind: registry.byPlural(plural)?.kind, id, isNamed: true, value });
  });

  it("stores a credential under its own id, below its consumer", () => {
    const item = { id: "jack/credentials/c1", plugins: {} };
    const value = { id: "c1", plugins: {} };
    expect(read("consumers", item)).toMatchObject({ kind: "credential", id: "jack/credentials/c1", value });
  });

  it("names an item without id by its place, counted from 1", () => {
    const placed = { id: "arr_3", isNamed: false, value: { uri: "/", id: "arr_3" } };
    expect(read("routes", { uri: "/" }, 2)).toMatchObject(placed);
    expect(read("consumers", { plugins: {} }, 2)).toMatchObject({ id: "arr_3", isNamed: false });
  });

  it("takes modifiedIndex for the item's version and keeps it out of the object", () => {
    expect(read("routes", { id: "1", modifiedIndex: 3 })).toMatchObject({ version: 3, value: { id: "1" } });
    expect(read("routes", { id: "1", modifiedIndex: 3 }).value).not.toHaveProperty("modifiedIndex");
  });

  it("keeps a member named __proto__ for the checks to refuse", () => {
    const item: Record<string, unknown> = JSON.parse('{"id":"1","__proto__":{"polluted":true}}');
    expect(Object.hasOwn(read("routes", item).value, "__proto__")).toBe(true);
    expect(Object.prototype).not.toHaveProperty("polluted");
  });
});
