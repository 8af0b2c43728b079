import { configurationProblem, runGateway } from "@fngate/data-plane/testing";
import type { PluginDefinition } from "@fngate/plugin-kit";
import { describePlugin, fakeDeps } from "@fngate/plugin-kit/testing";
import { startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { takeTurns } from "../shared/weighted-choice.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { trafficSplit } from "./index.ts";
import { trafficSplitSchema } from "./schema.ts";

describePlugin(trafficSplit, {
  folder: import.meta.dirname,
  config: { rules: [{ weighted_upstreams: [{ upstream: { nodes: {} } }] }] },
});

describeSchema(trafficSplitSchema, {
  defaults: [
    { rules: [{}, { weighted_upstreams: [{ upstream_id: 1 }] }] },
    { rules: [{ weighted_upstreams: [{ weight: 1 }] }, { weighted_upstreams: [{ upstream_id: 1, weight: 1 }] }] },
  ],
  accepts: [
    {},
    { rules: [] },
    {
      rules: [
        { match: [{ vars: [["arg_a", "==", "1"]] }], weighted_upstreams: [{ upstream: { name: "u" }, weight: 0 }] },
      ],
    },
  ],
  refuses: [
    [{ rules: {} }, "rules"],
    [{ rules: [{ weighted_upstreams: [] }] }, "rules.0.weighted_upstreams"],
    [{ rules: [{ weighted_upstreams: [{ weight: -1 }] }] }, "rules.0.weighted_upstreams.0.weight"],
    [
      { rules: [{ match: [{ vars: [["arg_a", "!!", "1"]] }] }] },
      "failed to validate the 'vars' expression: invalid operator '!!'",
    ],
    [{ rules: [{ match: [{}] }] }, "failed to validate the 'vars' expression: rule should be wrapped inside brackets"],
  ],
});

describe("the check of inline upstreams", () => {
  const problemOf = (...entries: readonly unknown[]) =>
    configurationProblem([trafficSplit as PluginDefinition], {
      "traffic-split": { rules: [{}, { weighted_upstreams: [{ weight: 1 }, ...entries] }] },
    });

  it("takes what the Admin API takes as an upstream", () => {
    expect(problemOf({ upstream: { nodes: { "127.0.0.1:1980": 1 } } }, { upstream_id: 1 })).toBeUndefined();
  });

  it.each([
    [{ nodes: 1 }, `property "nodes" validation failed: object matches none of the required`],
    [{ nodes: {}, scheme: "ftp" }, `property "scheme" validation failed: matches none of the enum values`],
    [{ nodes: {}, retries: "1" }, `property "retries" validation failed: wrong type: expected integer, got string`],
    [{ nodes: {}, other: 1 }, "additional properties forbidden, found other"],
    [{ name: "a" }, "value should match only one schema, but matches none"],
  ])("refuses %j as the Admin API does: %s", (upstream, problem) => {
    const place = (name: string, item: number) =>
      `property "${name}" validation failed: failed to validate item ${item}`;
    expect(problemOf({ upstream })).toBe(
      "failed to check the configuration of plugin traffic-split err: " +
        `${place("rules", 2)}: ${place("weighted_upstreams", 2)}: property "upstream" validation failed: ${problem}`,
    );
  });
});

describe("takeTurns", () => {
  const take = (weights: Readonly<Record<string, number>>, turns: number) => {
    const next = takeTurns(Object.entries(weights).map(([value, weight]) => ({ value, weight })));
    return Array.from({ length: turns }, next).join("");
  };

  it("spreads the turns by weight", () => {
    expect(take({ a: 4, b: 2, c: 1 }, 14)).toBe("abacabaabacaba");
  });

  it("leaves out what has no weight", () => {
    expect(take({ a: 0, b: 1 }, 3)).toBe("bbb");
    expect(take({ a: 0 }, 2)).toBe("");
  });
});

describe("traffic-split", () => {
  it("gives back the upstreams it had made when a later one cannot be used", () => {
    let held = 0;
    const upstreams = {
      compile: (config: unknown) => {
        if (Object(config).name === "bad") throw new Error("bad");
        held += 1;
        return {
          release: () => {
            held -= 1;
          },
        };
      },
    };
    const entry = (name: string) => ({ upstream: { name, nodes: {} } });
    const config = trafficSplitSchema.parse({ rules: [{ weighted_upstreams: [entry("good"), entry("bad")] }] });
    expect(() => trafficSplit.setup(config, fakeDeps({ upstreams }))).toThrow("bad");
    expect(held).toBe(0);
  });

  /** A gateway whose route has its own upstream, an inline one and one by id to go to; answers name the upstream. */
  async function gatewayFor(rules: (ports: { readonly inline: number }) => readonly unknown[]) {
    const named = (name: string) => startEchoUpstream({ reply: { headers: {}, body: name } });
    const [inline, byId] = await Promise.all([named("inline"), named("by id")]);
    const gateway = await runGateway({
      plugins: [trafficSplit as PluginDefinition],
      upstream: { body: "own" },
      upstreams: { 7: { nodes: { [`127.0.0.1:${byId.port}`]: 1 } } },
      routes: { 1: { uri: "/*", plugins: { "traffic-split": { rules: rules({ inline: inline.port }) } } } },
    });
    return {
      bodiesOf: async (targets: readonly string[], headers: Readonly<Record<string, string>> = {}) => {
        const bodies = [];
        for (const target of targets) bodies.push((await gateway.get(target, headers)).body);
        return bodies;
      },
      [Symbol.asyncDispose]: async () => {
        await gateway[Symbol.asyncDispose]();
        await Promise.all([inline[Symbol.asyncDispose](), byId[Symbol.asyncDispose]()]);
      },
    };
  }

  const node = (port: number) => ({ nodes: { [`127.0.0.1:${port}`]: 1 }, pass_host: "pass", retries: 3 });

  it("goes to upstreams by id, inline or the route's own, by their weight", async () => {
    await using gateway = await gatewayFor(({ inline }) => [
      { weighted_upstreams: [{ upstream_id: "7", weight: 2 }, { upstream: node(inline) }, { weight: 1 }] },
    ]);
    const bodies = await gateway.bodiesOf(["/", "/", "/", "/"]);
    expect(bodies.toSorted()).toEqual(["by id", "by id", "inline", "own"]);
  });

  it("tells the node of an inline upstream its name with its port", async () => {
    await using other = await startEchoUpstream();
    const upstream = { nodes: { [`localhost:${other.port}`]: 1 }, pass_host: "node" };
    await using gateway = await gatewayFor(() => [{ weighted_upstreams: [{ upstream }] }]);
    await gateway.bodiesOf(["/"]);
    expect((await other.request()).headers).toMatchObject({ host: `localhost:${other.port}` });
  });

  it("obeys the first rule of which one expression holds", async () => {
    await using gateway = await gatewayFor(({ inline }) => [
      {
        match: [{ vars: [["arg_to", "==", "id"]] }, { vars: [["arg_to", "==", "7"]] }],
        weighted_upstreams: [{ upstream_id: 7 }],
      },
      { match: [{ vars: [["arg_to", "==", "inline"]] }], weighted_upstreams: [{ upstream: node(inline) }] },
    ]);
    expect(await gateway.bodiesOf(["/?to=id", "/?to=7", "/?to=inline", "/"])).toEqual([
      "by id",
      "by id",
      "inline",
      "own",
    ]);
  });

  it("reads the body ahead for conditions about it, and sends it on", async () => {
    await using gateway = await runGateway({
      plugins: [trafficSplit as PluginDefinition],
      upstreams: { 7: { nodes: { "127.0.0.1:1": 1 } } },
      routes: {
        1: {
          uri: "/*",
          plugins: {
            "traffic-split": {
              rules: [{ match: [{ vars: [["post_arg_to", "==", "id"]] }], weighted_upstreams: [{ upstream_id: "7" }] }],
            },
          },
        },
      },
    });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    expect((await gateway.send("/", { method: "POST", headers, body: "to=id" })).status).toBe(502);
    expect((await gateway.send("/", { method: "POST", headers, body: "to=own" })).status).toBe(200);
    expect(gateway.upstream.requests[0]?.body.toString()).toBe("to=own");
  });

  it("finds fields by names with hyphens", async () => {
    await using gateway = await gatewayFor(() => [
      { match: [{ vars: [["http_x-to", "==", "id"]] }], weighted_upstreams: [{ upstream_id: 7 }] },
    ]);
    expect(await gateway.bodiesOf(["/"], { "x-to": "id" })).toEqual(["by id"]);
  });

  it("answers 502 where no name of an inline upstream is found, and 503 for the route's own", async () => {
    const unknown = { nodes: { "nowhere.invalid:80": 1 } };
    const split = {
      rules: [{ match: [{ vars: [["arg_a", "==", "1"]] }], weighted_upstreams: [{ upstream: unknown }] }],
    };
    await using gateway = await runGateway({
      plugins: [trafficSplit as PluginDefinition],
      routes: { 1: { uri: "/*", upstream: unknown, plugins: { "traffic-split": split } } },
      options: { upstreams: { dns: { servers: ["127.0.0.1:9"], timeoutMs: 100, isSearchOn: false } } },
    });
    expect(await gateway.get("/?a=1")).toMatchObject({ status: 502, body: expect.stringContaining("unresolved") });
    expect(await gateway.get("/")).toMatchObject({ status: 503, body: expect.stringContaining("unresolved") });
  });

  it("answers 500 where there is no upstream of an id", async () => {
    await using gateway = await runGateway({
      plugins: [trafficSplit as PluginDefinition],
      routes: {
        1: { uri: "/*", plugins: { "traffic-split": { rules: [{ weighted_upstreams: [{ upstream_id: "9" }] }] } } },
      },
    });
    expect(await gateway.get("/")).toMatchObject({
      status: 500,
      body: "failed to fetch upstream info by upstream id: 9",
    });
  });
});
