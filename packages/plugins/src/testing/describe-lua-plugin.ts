import { runGateway } from "@fngate/data-plane/testing";
import type { PluginDefinition } from "@fngate/plugin-kit";
import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";

/** A plugin that is known for nothing but being refused. */
export interface LuaPluginOptions {
  /** The plugin's folder: `import.meta.dirname` of its test. */
  readonly folder: string;
  /** Configurations by the field of Lua that they are refused for. */
  readonly refused: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Declares the tests of a plugin whose configuration is Lua, the contract of all plugins included. */
export function describeLuaPlugin<TConfig>(plugin: PluginDefinition<TConfig>, options: LuaPluginOptions): void {
  const [config = {}] = Object.values(options.refused);
  describePlugin(plugin, { folder: options.folder, config, isRefused: true });

  describe.each(Object.entries(options.refused))("in a gateway, with %s", (field, config) => {
    const route = (own: object) => ({ uri: "/*", plugins: { [plugin.name]: own } });
    const start = (own: object) =>
      runGateway({ plugins: [plugin as PluginDefinition], routes: { 1: route(own) }, hasFindings: true });

    it("keeps its route from being used, and says which field it is and what to do", async () => {
      await using gateway = await start(config);
      expect((await gateway.get("/")).status).toBe(404);
      expect(gateway.plane.diagnostics).toMatchObject([
        {
          kind: "route",
          id: "1",
          severity: "error",
          code: "UNSUPPORTED_FIELD",
          path: `plugins.${plugin.name}.${field}`,
          message: expect.stringMatching(/ is Lua, which is not run: write a plugin in TypeScript .*tutorial\.md/),
        },
      ]);
    });

    it("leaves the last usable version of the route in use", async () => {
      await using gateway = await start({ ...config, _meta: { disable: true } });
      expect((await gateway.get("/")).status).toBe(200);
      await gateway.put("routes/1", route(config));
      expect((await gateway.get("/")).status).toBe(200);
      expect(gateway.plane.diagnostics).toHaveLength(1);
    });
  });
}
