import { describe, expect, it } from "vitest";
import { registry } from "./resources/index.ts";
import {
  directoryOf,
  keyOf,
  PLACEHOLDER_DIRECTORIES,
  PLACEHOLDER_VALUE,
  parseKey,
  placeholderKeys,
} from "./store-layout.ts";

const KEYS = [
  ["route", "1", "/apisix/routes/1"],
  ["service", "s.1", "/apisix/services/s.1"],
  ["upstream", "u", "/apisix/upstreams/u"],
  ["consumer", "jack", "/apisix/consumers/jack"],
  ["credential", "jack/credentials/c1", "/apisix/consumers/jack/credentials/c1"],
  ["ssl", "1", "/apisix/ssls/1"],
  ["global_rule", "1", "/apisix/global_rules/1"],
  ["plugin_config", "1", "/apisix/plugin_configs/1"],
  ["consumer_group", "1", "/apisix/consumer_groups/1"],
  ["plugin_metadata", "openfunction", "/apisix/plugin_metadata/openfunction"],
  ["proto", "1", "/apisix/protos/1"],
  ["stream_route", "1", "/apisix/stream_routes/1"],
  ["secret", "vault/1", "/apisix/secrets/vault/1"],
  ["graphql_cost_decoration", "s1/graphql_cost_decorations/d1", "/apisix/services/s1/graphql_cost_decorations/d1"],
] as const;

describe("store layout", () => {
  it.each(KEYS)("keeps %s %s under %s", (kind, id, key) => {
    const definition = registry.byKind(kind);
    expect(keyOf("/apisix", definition, id)).toBe(key);
    expect(parseKey("/apisix", key)).toEqual({ definition, id });
    expect(key.startsWith(directoryOf("/apisix", definition))).toBe(true);
  });

  it("covers every known kind", () => {
    expect(KEYS.map(([kind]) => kind).sort()).toEqual(
      registry
        .all()
        .map(({ kind }) => kind)
        .sort(),
    );
  });

  it("writes numeric ids as digits", () => {
    expect(keyOf("/p", registry.byKind("route"), 5)).toBe("/p/routes/5");
  });

  it.each([
    ["/apisix/routes/"],
    ["/apisix/routes"],
    ["/apisix/routes/1/2"],
    ["/apisix/routes_x/1"],
    ["/apisix2/routes/1"],
    ["/apisix/plugins"],
    ["/apisix/plugins/"],
    ["/apisix/gen_id"],
    ["/apisix/data_plane/server_info/x"],
    ["/apisix/secrets/vault"],
    ["/apisix/secrets/vault/1/2"],
    ["/apisix/consumers/jack/credentials"],
    ["/apisix/consumers/jack/credentials/"],
    ["/apisix/consumers/jack/other/c1"],
    ["/apisix/services/s1/graphql_cost_decorations"],
    ["/apisix/services/s1/other/d1"],
    ["routes/1"],
    [""],
  ])("finds no resource in %j", (key) => {
    expect(parseKey("/apisix", key)).toBeUndefined();
  });

  it("has APISIX's thirteen placeholders, whose value is not JSON", () => {
    expect(new Set(PLACEHOLDER_DIRECTORIES).size).toBe(13);
    expect(placeholderKeys("/apisix")).toContain("/apisix/routes/");
    expect(() => JSON.parse(PLACEHOLDER_VALUE)).toThrow(SyntaxError);
    for (const { directory, plural } of registry.all()) expect(PLACEHOLDER_DIRECTORIES).toContain(directory ?? plural);
  });
});
