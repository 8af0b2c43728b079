import { isGatewayError } from "@fngate/kernel";
import { describe, expect, it } from "vitest";
import { type DocumentFormat, readDocument } from "./read-document.ts";

function read(text: string, { format = "yaml" as DocumentFormat, environment = {} } = {}) {
  return readDocument({ text, title: `apisix.${format}`, format, environment });
}

function problem(text: string, options = {}): string {
  try {
    read(text, options);
  } catch (error) {
    if (isGatewayError(error, "CONFIG_UNREADABLE")) return error.message;
    throw error;
  }
  throw new Error("it was read");
}

describe("a standalone file", () => {
  it("gives its objects with their kinds, ids and lines", () => {
    const { items, warnings } = read(
      ["routes:", "  - id: r1", "    uri: /a", "  - uri: /b", "consumers:", "  - username: jack"].join("\n"),
    );
    expect(items.map(({ definition, id, origin }) => [definition.kind, id, origin])).toEqual([
      ["route", "r1", "apisix.yaml:2"],
      ["route", "arr_2", "apisix.yaml:4"],
      ["consumer", "jack", "apisix.yaml:6"],
    ]);
    expect(warnings).toEqual([]);
  });

  it("takes a plugin without anything behind its name for one without configuration", () => {
    const { items } = read("routes:\n  - id: r\n    uri: /a\n    plugins:\n      key-auth:\nupstreams:\n");
    expect(items.map(({ value }) => value)).toEqual([{ id: "r", uri: "/a", plugins: { "key-auth": {} } }]);
  });

  it("knows anchors and merge keys, as often as they are used", () => {
    const uses = Array.from({ length: 500 }, (_, index) => `  - <<: *base\n    id: "${index}"`).join("\n");
    const { items } = read(`routes:\n  - &base\n    id: first\n    uri: /a\n${uses}\n`);
    expect(items).toHaveLength(501);
    expect(items.at(-1)?.value).toEqual({ uri: "/a", id: "499" });
  });

  it("refuses anchors that expand without end", () => {
    const levels = Array.from({ length: 12 }, (_, index) => {
      const uses = Array.from({ length: 9 }, () => `*l${index}`).join(", ");
      return `  l${index + 1}: &l${index + 1} [${uses}]`;
    });
    expect(problem(`x:\n  l0: &l0 [a]\n${levels.join("\n")}\nroutes: *l12\n`)).toMatch(/apisix\.yaml: .*alias/i);
  });

  it("puts variables into the text before it is parsed, so that quotes decide about types", () => {
    const environment = { PORT: "80", NAME: "a: b" };
    const { items } = read(
      `routes:\n  - id: 1\n    priority: \${{PORT}}\n    desc: "\${{PORT}}"\n    name: "\${{ NAME }}"\n    uri: \${{URI:=/x}}\n`,
      { environment },
    );
    expect(items[0]?.value).toEqual({ priority: 80, desc: "80", name: "a: b", uri: "/x", id: "1" });
  });

  it("types variables of a JSON file by what they look like, as config.yaml does", () => {
    const text = JSON.stringify({ routes: [{ id: "1", priority: `\${{PORT}}`, [`\${{KEY}}`]: [`\${{PORT}}x`] }] });
    const { items } = read(text, { format: "json", environment: { PORT: "80", KEY: "hosts" } });
    expect(items[0]?.value).toEqual({ priority: 80, hosts: ["80x"], id: "1" });
  });

  it.each([
    { text: "routes:\n  - id: 1\n   uri: /\n", reason: /^apisix\.yaml:[23]: / },
    { text: "routes: []\nroutes: []\n", reason: /^apisix\.yaml:2: Map keys must be unique/ },
    { text: `routes:\n  - id: \${{WHO}}\n`, reason: /^apisix\.yaml:2: can't find environment variable WHO$/ },
    { text: "services: []\nroutes:\n  a: 1\n", reason: /^apisix\.yaml:[23]: routes must be an array$/ },
    { text: "- a\n", reason: /^apisix\.yaml:1: expected a map of sections/ },
    { text: "# nothing\n", reason: /^apisix\.yaml:1: expected a map of sections/ },
  ])("is refused with its line: $text", ({ text, reason }) => {
    expect(problem(text)).toMatch(reason);
  });

  it.each([
    { text: '{"routes": [}', reason: /^apisix\.json: / },
    { text: `{"routes": "\${{WHO}}"}`, reason: /^apisix\.json: can't find environment variable WHO$/ },
  ])("is refused in JSON: $text", ({ text, reason }) => {
    expect(problem(text, { format: "json" })).toMatch(reason);
  });

  it.each([
    { text: "route: []\n", warning: "apisix.yaml:1: route is unknown and has no effect; did you mean routes?" },
    { text: "plugins:\n  - name: a\n", warning: /^apisix\.yaml:\d: plugins has no effect/ },
    { text: "routes:\n  - 5\n", warning: "apisix.yaml:2: item 1 of routes should be an object; it is left out" },
    { text: "routes:\n  - id: a/b\n", warning: "apisix.yaml:2: invalid route id: a/b; it is left out" },
    { text: "secrets:\n  - id: v\n", warning: "apisix.yaml:2: invalid secret id: v; it is left out" },
    {
      text: "routes:\n  - id: 1\n    uri: /a\n  - id: '1'\n    uri: /b\n",
      warning: "apisix.yaml:4: found duplicate id 1 in routes; the last one counts",
    },
  ])("is read with a warning: $text", ({ text, warning }) => {
    expect(read(text).warnings).toEqual([typeof warning === "string" ? warning : expect.stringMatching(warning)]);
  });

  it("lets empty sections and versions be", () => {
    expect(read("routes:\nservices: {}\nupstreams: []\nroutes_conf_version: 3\n")).toEqual({
      items: [],
      warnings: [],
      isWhole: true,
    });
  });
});
