import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type CheckablePlugin, checkPlugins, type PluginPlace, parsePluginConf } from "./plugin-check.ts";

const openfunction: CheckablePlugin = {
  schema: z.looseObject({ function_uri: z.string(), timeout: z.int().min(100).default(3000) }),
};
const sized = z.strictObject({ size: z.int().default(1) });
const closed: CheckablePlugin = { schema: sized, streamSchema: sized };
const keyAuth: CheckablePlugin = {
  schema: z.looseObject({ header: z.string().default("apikey") }),
  consumerSchema: z.looseObject({ key: z.string() }),
};
const nesting: CheckablePlugin = {
  schema: z.looseObject({ name: z.string() }),
  checkNested: (config, plugins) => {
    const { name, size, upstream } = config as { name: string; size?: unknown; upstream?: unknown };
    if (size !== undefined) return plugins.problemIn(z.int(), size);
    if (upstream !== undefined) return plugins.upstreamProblem(upstream);
    return plugins.find(name)?.isAuth === true ? plugins.problemOf(name, {}) : "no plugin for that";
  },
};
const catalog = new Map<string, CheckablePlugin>([
  ["nesting", nesting],
  ["auth", { type: "auth", schema: z.looseObject({ header: z.string() }) }],
  ["openfunction", openfunction],
  ["closed", closed],
  ["key-auth", keyAuth],
]);

function check(plugins: unknown, which: PluginPlace = "main"): string | undefined {
  return checkPlugins(plugins, { catalog, which });
}

describe("checkPlugins", () => {
  it.each<[Record<string, unknown>, string]>([
    [{ nope: {} }, "unknown plugin [nope]"],
    [{ nope: 1 }, "invalid plugin conf 1 for plugin [nope]"],
    [{ openfunction: "x" }, 'invalid plugin conf "x" for plugin [openfunction]'],
    [{ openfunction: null }, 'invalid plugin conf "userdata: NULL" for plugin [openfunction]'],
    [{ openfunction: true }, "invalid plugin conf true for plugin [openfunction]"],
    [
      { openfunction: {} },
      'failed to check the configuration of plugin openfunction err: property "function_uri" is required',
    ],
    [
      { openfunction: [] },
      'failed to check the configuration of plugin openfunction err: property "function_uri" is required',
    ],
    [
      { openfunction: ["x"] },
      "failed to check the configuration of plugin openfunction err: wrong type: expected object, got table",
    ],
    [
      { openfunction: { function_uri: "a", timeout: 99 } },
      'failed to check the configuration of plugin openfunction err: property "timeout" validation failed: expected 99 to be at least 100',
    ],
    [
      { closed: { other: 1 } },
      "failed to check the configuration of plugin closed err: additional properties forbidden, found other",
    ],
    [
      { closed: { _meta: { priorty: 1 } } },
      'failed to check the configuration of plugin closed err: property "_meta" validation failed: additional properties forbidden, found priorty',
    ],
    [
      { closed: { _meta: { disable: 1 } } },
      'failed to check the configuration of plugin closed err: property "_meta" validation failed: property "disable" validation failed: wrong type: expected boolean, got number',
    ],
    [
      { closed: { _meta: { error_response: 1 } } },
      'failed to check the configuration of plugin closed err: property "_meta" validation failed: property "error_response" validation failed: value should match only one schema, but matches none',
    ],
    [
      { closed: { _meta: 1 } },
      'failed to check the configuration of plugin closed err: property "_meta" validation failed: wrong type: expected object, got number',
    ],
    [
      { closed: { _meta: null } },
      'failed to check the configuration of plugin closed err: property "_meta" validation failed: wrong type: expected object, got userdata',
    ],
    [
      { closed: { _meta: { filter: [["a", "foo", "b"]] } } },
      "failed to validate the 'vars' expression: invalid operator 'foo'",
    ],
    [
      { closed: { _meta: { disable: true, filter: ["a", "==", "b"] } } },
      "failed to validate the 'vars' expression: rule should be wrapped inside brackets",
    ],
    [{ closed: {}, nope: {} }, "unknown plugin [nope]"],
    [{ nesting: {} }, 'failed to check the configuration of plugin nesting err: property "name" is required'],
    [
      { nesting: { name: "auth" } },
      'failed to check the configuration of plugin nesting err: property "header" is required',
    ],
    [
      { nesting: { name: "", size: "1" } },
      "failed to check the configuration of plugin nesting err: wrong type: expected integer, got string",
    ],
    [
      { nesting: { name: "", upstream: { nodes: {}, retries: -1 } } },
      'failed to check the configuration of plugin nesting err: property "retries" validation failed: expected -1 to be at least 0',
    ],
    [{ nesting: { name: "closed" } }, "failed to check the configuration of plugin nesting err: no plugin for that"],
  ])("refuses %j", (plugins, message) => {
    expect(check(plugins)).toBe(message);
  });

  it.each<[unknown]>([
    [{ nesting: { name: "", size: 1 } }],
    [{ nesting: { name: "", upstream: { nodes: {} } } }],
    [undefined],
    [{}],
    [[]],
    [{ closed: {} }],
    [{ closed: [] }],
    [{ closed: { _meta: {} } }],
    [{ closed: { _meta: [] } }],
    [{ closed: { _meta: { disable: false, priority: -1, filter: [], error_response: "no", pre_function: "f" } } }],
    [{ closed: { _meta: { error_response: { message: "no" } } } }],
    [{ openfunction: { function_uri: "", unknown: 1 } }],
    [{ openfunction: { function_uri: 1, _meta: { disable: true } } }],
  ])("accepts %j", (plugins) => {
    expect(check(plugins)).toBeUndefined();
  });

  it("says of plugins inside consumers that they are invalid there", () => {
    expect(check({ nope: {} }, "consumer")).toBe("invalid plugins configuration: unknown plugin [nope]");
    expect(check({ "key-auth": {} }, "consumer")).toBe(
      'invalid plugins configuration: failed to check the configuration of plugin key-auth err: property "key" is required',
    );
    expect(check({ "key-auth": { key: "k" }, closed: {} }, "consumer")).toBeUndefined();
    expect(check({ "key-auth": {} }, "main")).toBeUndefined();
  });

  it("words stream plugins in their own way", () => {
    expect(check({ openfunction: {} }, "stream")).toBe("unknown plugin [openfunction]");
    expect(check({ closed: { a: 1 } }, "stream")).toBe(
      "failed to check the configuration of stream plugin [closed]: additional properties forbidden, found a",
    );
  });

  it("passes over unknown plugins where a data plane asks for it, but not over what is no configuration", () => {
    expect(checkPlugins({ nope: {} }, { catalog, which: "main", unknown: "skip" })).toBeUndefined();
    expect(checkPlugins({ nope: 1 }, { catalog, which: "main", unknown: "skip" })).toBe(
      "invalid plugin conf 1 for plugin [nope]",
    );
  });

  it("treats names of Object.prototype's members as unknown plugins", () => {
    expect(check(JSON.parse('{"__proto__":{}}'))).toBe("unknown plugin [__proto__]");
    expect(check({ constructor: {} })).toBe("unknown plugin [constructor]");
    expect(check({ closed: JSON.parse('{"__proto__":{}}') })).toBe(
      "failed to check the configuration of plugin closed err: additional properties forbidden, found __proto__",
    );
  });
});

describe("parsePluginConf", () => {
  it("separates _meta from the plugin's own part and fills the defaults of that", () => {
    expect(parsePluginConf(openfunction, { function_uri: "a", _meta: { priority: 5 } })).toEqual({
      ok: true,
      value: { meta: { priority: 5 }, config: { function_uri: "a", timeout: 3000 } },
    });
  });

  it("does not validate _meta beside a consumer's own schema", () => {
    const conf = { key: "k", _meta: { unheard: 1 } };
    expect(parsePluginConf(keyAuth, conf, "consumer")).toEqual({ ok: true, value: { meta: {}, config: { key: "k" } } });
    expect(parsePluginConf(keyAuth, conf)).toMatchObject({ ok: false });
  });
});
