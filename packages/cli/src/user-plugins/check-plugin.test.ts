import { definePlugin } from "@fngate/plugin-kit";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { checkPlugin, pluginsIn } from "./check-plugin.ts";

const good = definePlugin({ name: "my-plugin", version: 0.1, priority: 5, schema: z.object({}), setup: () => ({}) });

describe("checkPlugin", () => {
  it("takes a plugin as it is", () => {
    expect(checkPlugin(good)).toBe(good);
  });

  it.each([
    [1, "it is no object"],
    [{ ...good, name: "My Plugin" }, 'name "My Plugin" is no plugin name'],
    [{ ...good, name: "__proto__" }, 'name "__proto__" is no plugin name'],
    [{ ...good, version: "1" }, "version is no number"],
    [{ ...good, priority: 1.5 }, "priority is no whole number"],
    [{ ...good, schema: undefined }, "schema is missing"],
    [{ ...good, schema: { type: "object" } }, "schema is no zod schema"],
    [{ ...good, schema: z.string() }, "schema is not that of an object"],
    [{ ...good, schema: z.object({ at: z.date() }) }, "schema cannot be shown to clients as JSON Schema"],
    [{ ...good, metadataSchema: z.string() }, "metadataSchema is not that of an object"],
    [{ ...good, setup: {} }, "setup is missing"],
    [{ ...good, type: "filter" }, 'type is neither absent nor "auth"'],
  ])("says what is wrong with %o: %s", (value, problem) => {
    expect(checkPlugin(value)).toEqual([expect.stringContaining(problem)]);
  });
});

describe("pluginsIn", () => {
  it("takes the default export before all others, and a list in it", () => {
    expect(pluginsIn({ default: good, other: { ...good } })).toEqual([good]);
    expect(pluginsIn({ default: [good, good] })).toHaveLength(2);
  });

  it("takes every export that looks like a plugin where there is no default one", () => {
    expect(pluginsIn({ good, schema: z.object({}), text: "x" })).toEqual([good]);
  });
});
