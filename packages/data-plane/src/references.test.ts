import { definePlugin } from "@fngate/plugin-kit";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { catalogWith, type RunningPlane, startPlane } from "./testing/running-plane.ts";

/** Answers with its configuration. */
const mirror = definePlugin({
  name: "mirror",
  version: 0.1,
  priority: 10,
  schema: z.looseObject({ text: z.string().optional(), count: z.int().optional() }),
  secretFields: ["text"],
  setup: (config) => ({ access: () => ({ kind: "reply", status: 200, body: { ...config } }) }),
});

const environment = { NAME: "value", EMPTY: "", JSON: '{"a":"one","b":{"c":2},"d/e":"three","list":[1]}' };

const start = () => startPlane({ catalog: catalogWith(mirror), environment });

async function seenBy(plane: RunningPlane, config: unknown): Promise<unknown> {
  await plane.put("routes/1", { uri: "/x", plugins: { mirror: config } });
  return JSON.parse((await plane.send("/x")).body);
}

describe("a reference in a plugin's configuration", () => {
  test.each([
    ["$env://NAME", "value"],
    ["$ENV://NAME", "value"],
    ["$env://EMPTY", ""],
    ["$env://JSON/a", "one"],
    ["$env://JSON/b/c", "2"],
    ["$env://JSON/d/e", "three"],
    ["$envy", "$envy"],
    ["x$env://NAME", "x$env://NAME"],
  ])("%s is %s", async (text, expected) => {
    await using plane = await start();
    expect(await seenBy(plane, { text })).toEqual({ text: expected });
    expect(plane.plane.diagnostics).toEqual([]);
  });

  test("is resolved at any depth, in lists too, and leaves what is beside it alone", async () => {
    await using plane = await start();
    const config = { text: "a", more: { list: ["$env://NAME", 1, null, { deep: "$env://NAME" }] } };
    expect(await seenBy(plane, config)).toEqual({ text: "a", more: { list: ["value", 1, null, { deep: "value" }] } });
  });

  test.each(["$env://MISSING", "$env://NAME/key", "$env://JSON/none", "$env://JSON/list", "$env://constructor"])(
    "%s cannot be resolved: it stays, and an error names route and field once",
    async (text) => {
      await using plane = await start();
      expect(await seenBy(plane, { text })).toEqual({ text });
      await plane.put("routes/2", { uri: "/y" });
      const lines = plane.lines.filter(({ fields }) => fields["code"] === "UNRESOLVED_REFERENCE");
      expect(lines).toMatchObject([
        { level: "error", fields: { kind: "route", id: "1", path: "plugins.mirror.text" } },
      ]);
    },
  );

  test.each([
    ["$secret://consul/1/key", "there are no secret managers of kind consul"],
    ["$secret://vault/1", "it names no manager, id and key"],
  ])("to a secret that is not to be had stays, and a warning names route, field and reason: %s", async (text, why) => {
    await using plane = await start();
    expect(await seenBy(plane, { text })).toEqual({ text });
    expect(plane.plane.diagnostics).toMatchObject([
      { kind: "route", id: "1", severity: "warning", code: "UNRESOLVED_REFERENCE", path: "plugins.mirror.text" },
    ]);
    expect(plane.plane.diagnostics[0]?.message).toContain(why);
  });

  test("never shows its value in the log", async () => {
    await using plane = await start();
    await seenBy(plane, { text: "$env://NAME", count: 1 });
    expect(JSON.stringify(plane.lines)).not.toContain("value");
  });
});
