import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { generateFiles } from "../scripts/generated-files.ts";
import { builtinPlugins } from "./catalog.ts";
import { createCatalog } from "./plugin-catalog.ts";

const generated = await generateFiles();

describe("generated files", () => {
  it.each(generated)("$path is what `pnpm gen` writes", ({ path, text }) => {
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("are the catalog, what plugins are exported as, the page about all plugins and one README per plugin", () => {
    expect(generated).toHaveLength(3 + builtinPlugins.length);
  });
});

describe("createCatalog", () => {
  it("knows every built-in plugin by its name", () => {
    const catalog = createCatalog();
    expect(catalog.all()).toHaveLength(builtinPlugins.length);
    expect(builtinPlugins.map(({ name }) => catalog.get(name))).toEqual(builtinPlugins);
  });

  it("lists plugins by descending priority", () => {
    const priorities = createCatalog()
      .all()
      .map((plugin) => plugin.priority);
    expect(priorities).toEqual(priorities.toSorted((a, b) => b - a));
  });

  it("knows only the enabled plugins when a list is given", () => {
    expect(createCatalog([]).all()).toEqual([]);
    expect(createCatalog([]).get("openfunction")).toBeUndefined();
    expect(
      createCatalog(["openfunction", "not-built-in"])
        .all()
        .map((plugin) => plugin.name),
    ).toEqual(["openfunction"]);
  });
});
