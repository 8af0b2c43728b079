import { basename } from "node:path";
import { runGateway } from "@fngate/data-plane/testing";
import type { PluginDefinition } from "@fngate/plugin-kit";
import { APISIX_PRIORITIES } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { luaFunctionsSchema } from "../shared/lua-functions.ts";
import { describeSchema } from "./describe-schema.ts";

const functions = ["return function() end"];

/** Declares the tests of a plugin that is known for nothing but being refused. */
export function describeLuaPlugin(plugin: PluginDefinition<unknown>, folder: string): void {
  it("has the name of its folder and APISIX's priority", () => {
    expect([plugin.name, plugin.priority]).toEqual([basename(folder), APISIX_PRIORITIES[plugin.name]]);
  });

  describeSchema(luaFunctionsSchema, {
    defaults: [{ functions }, { functions, phase: "access" }],
    accepts: [{ functions, phase: "before_proxy", other: 1 }],
    refuses: [
      [{}, "functions"],
      [{ functions: [] }, "functions"],
      [{ functions: [1] }, "functions.0"],
      [{ functions, phase: "abc" }, "phase"],
    ],
  });

  describe("in a gateway", () => {
    const route = (config: object) => ({ uri: "/*", plugins: { [plugin.name]: config } });
    const start = (config: object) =>
      runGateway({ plugins: [plugin as PluginDefinition], routes: { 1: route(config) }, hasFindings: true });

    it("keeps its route from being used, and says which field it is and what to do", async () => {
      await using gateway = await start({ functions });
      expect((await gateway.get("/")).status).toBe(404);
      expect(gateway.plane.diagnostics).toMatchObject([
        {
          kind: "route",
          id: "1",
          severity: "error",
          code: "UNSUPPORTED_FIELD",
          path: `plugins.${plugin.name}.functions`,
          message: expect.stringMatching(
            /^functions is Lua, which is not run: write a plugin in TypeScript .*tutorial/,
          ),
        },
      ]);
    });

    it("leaves the last usable version of the route in use", async () => {
      await using gateway = await start({ _meta: { disable: true }, functions });
      expect((await gateway.get("/")).status).toBe(200);
      await gateway.put("routes/1", route({ functions }));
      expect((await gateway.get("/")).status).toBe(200);
      expect(gateway.plane.diagnostics).toHaveLength(1);
    });
  });
}
