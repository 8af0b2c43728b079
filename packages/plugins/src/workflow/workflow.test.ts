import { configurationProblem, runGateway } from "@fngate/data-plane/testing";
import type { PluginDefinition } from "@fngate/plugin-kit";
import { describePlugin, fakeDeps } from "@fngate/plugin-kit/testing";
import { eventually } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { limitConn } from "../limit-conn/index.ts";
import { limitCount } from "../limit-count/index.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { workflow } from "./index.ts";
import { workflowSchema } from "./schema.ts";

describePlugin(workflow, {
  folder: import.meta.dirname,
  config: { rules: [{ actions: [["return", { code: 403 }]] }] },
});

const rejected = ["return", { code: 403 }];
const once = { count: 1, time_window: 60 };

describeSchema(workflowSchema, {
  defaults: [{ rules: [{ actions: [rejected] }] }, { rules: [{ actions: [rejected] }] }],
  accepts: [
    { rules: [] },
    { rules: [{ case: ["AND", ["uri", "==", "/a"]], actions: [["limit-count", once]] }] },
    { rules: [{ actions: [["limit-conn", { conn: 1, burst: 0, default_conn_delay: 1, key: "uri" }]] }] },
  ],
  refuses: [
    [{}, "rules"],
    [{ rules: [{}] }, "rules.0.actions"],
    [{ rules: [{ case: [], actions: [rejected] }] }, "rules.0.case"],
    [{ rules: [{ actions: [[]] }] }, "rules.0.actions.0"],
  ],
});

describe("the check of actions", () => {
  const definitions = [workflow, limitCount, limitConn].map((plugin) => plugin as PluginDefinition);
  const problemOf = (...actions: readonly unknown[]) =>
    configurationProblem(definitions, { workflow: { rules: [{ actions: [rejected] }, { actions }] } });
  const conn = { conn: 1, burst: 0, default_conn_delay: 1, key: "uri" };

  it.each([
    [["fake", {}], "unsupported action: fake"],
    [["return", {}], `failed to validate the 'return' action: property "code" is required`],
    [["return"], "failed to validate the 'return' action: wrong type: expected object, got nil"],
    [
      ["return", { code: "403" }],
      `failed to validate the 'return' action: property "code" validation failed: wrong type: expected integer, got string`,
    ],
    [
      ["return", { code: 600 }],
      `failed to validate the 'return' action: property "code" validation failed: expected 600 to be at most 599`,
    ],
    [
      ["limit-count", { count: 1 }],
      "failed to validate the 'limit-count' action: value should match only one schema, but matches none",
    ],
    [
      ["limit-count", { ...once, rejected_code: "503" }],
      `failed to validate the 'limit-count' action: property "rejected_code" validation failed: wrong type: expected integer, got string`,
    ],
    [["limit-count", { ...once, group: "g" }], "failed to validate the 'limit-count' action: group is not supported"],
    [
      ["limit-conn", { ...conn, rejected_code: 1 }],
      `failed to validate the 'limit-conn' action: property "rejected_code" validation failed: expected 1 to be at least 200`,
    ],
  ])("refuses %j: %s", (action, problem) => {
    const text = `failed to check the configuration of plugin workflow err: ${problem}`;
    expect(problemOf(action)).toBe(text);
    expect(problemOf(rejected, action)).toBe(text);
  });

  it("does not know a plugin that is not enabled", () => {
    const rules = [{ actions: [["limit-conn", conn]] }];
    expect(configurationProblem([workflow as PluginDefinition], { workflow: { rules } })).toContain(
      "unsupported action: limit-conn",
    );
  });

  it.each([[["return", { code: "403" }]], [["fake", {}]], [["limit-conn", { ...conn, burst: -1 }]]])(
    "leaves a stored rule with %j out of use",
    async (action) => {
      const routes = { 1: { uri: "/*", plugins: { workflow: { rules: [{ actions: [action] }] } } } };
      await using gateway = await runGateway({ plugins: definitions, routes, hasFindings: true });
      expect(gateway.plane.diagnostics).toMatchObject([{ code: "INVALID_PLUGIN" }]);
    },
  );
});

describe("workflow", () => {
  const gatewayFor = (rules: readonly unknown[], more: object = {}, upstream = {}) =>
    runGateway({
      plugins: [workflow, limitCount, limitConn].map((plugin) => plugin as PluginDefinition),
      routes: { 1: { uri: "/*", plugins: { workflow: { rules }, ...more } } },
      upstream,
    });

  it("answers under the first rule that applies", async () => {
    await using gateway = await gatewayFor([
      { case: [["uri", "==", "/a"]], actions: [rejected] },
      { case: ["OR", ["uri", "==", "/b"], ["arg_c", "==", "1"]], actions: [["return", { code: 418 }]] },
    ]);
    expect(await gateway.get("/a")).toMatchObject({ status: 403, body: '{"error_msg":"rejected by workflow"}\n' });
    expect((await gateway.get("/b")).status).toBe(418);
    expect((await gateway.get("/x?c=1")).status).toBe(418);
    expect((await gateway.get("/x")).status).toBe(200);
  });

  it("limits per rule, with the quota in the answers", async () => {
    await using gateway = await gatewayFor([
      { case: [["uri", "==", "/a"]], actions: [["limit-count", once]] },
      { actions: [["limit-count", once]] },
    ]);
    const first = await gateway.get("/a");
    expect(first.headers["x-ratelimit-remaining"]).toBe("0");
    const statuses = [];
    for (const target of ["/a", "/b", "/b"]) statuses.push((await gateway.get(target)).status);
    expect([first.status, ...statuses]).toEqual([200, 503, 200, 503]);
  });

  it("keeps the plugin that it ran from running again on its own", async () => {
    const rules = [{ case: [["uri", "==", "/a"]], actions: [["limit-count", { ...once, count: 5 }]] }];
    await using gateway = await gatewayFor(rules, { "limit-count": once });
    const limits = [];
    for (const target of ["/a", "/a", "/b", "/b"])
      limits.push((await gateway.get(target)).headers["x-ratelimit-limit"]);
    expect(limits).toEqual(["5", "5", "1", "1"]);
    expect((await gateway.get("/a")).status).toBe(200);
  });

  it("gives the places of limit-conn back when a request is over", async () => {
    const gate = Promise.withResolvers<void>();
    const conf = { conn: 1, burst: 0, default_conn_delay: 0.1, key: "remote_addr" };
    await using gateway = await gatewayFor([{ actions: [["limit-conn", conf]] }], {}, async () => {
      await gate.promise;
      return {};
    });
    const first = gateway.get("/");
    await eventually(() => expect(gateway.upstream.requests).toHaveLength(1));
    expect((await gateway.get("/")).status).toBe(503);
    gate.resolve();
    expect((await first).status).toBe(200);
    await eventually(async () => expect((await gateway.get("/")).status).toBe(200));
  });

  it("gives its actions back when a later one cannot be set up", () => {
    let held = 0;
    const plugins = {
      setUp: (name: string) => {
        if (name === "limit-conn") throw new Error("not today");
        held += 1;
        return {
          name,
          isAuth: false,
          instance: {
            dispose: () => {
              held -= 1;
            },
          },
        };
      },
      findApi: () => undefined,
    };
    const conn = ["limit-conn", { conn: 1, burst: 0, default_conn_delay: 1, key: "uri" }];
    const config = workflowSchema.parse({ rules: [{ actions: [["limit-count", once]] }, { actions: [conn] }] });
    expect(() => workflow.setup(config, fakeDeps({ plugins }))).toThrow("not today");
    expect(held).toBe(0);
  });
});
