import { definePlugin, type PluginDefinition, type PluginInstance, type RequestContext } from "@fngate/plugin-kit";
import { eventually } from "@fngate/test-kit";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { runGateway } from "./testing/run-gateway.ts";

function plugin(name: string, instance: PluginInstance, more: Partial<PluginDefinition> = {}): PluginDefinition {
  const schema = z.looseObject({});
  return definePlugin({ name, version: 0.1, priority: 1, schema, setup: () => instance, ...more });
}

const never = (): Promise<undefined> => new Promise(() => {});

describe("a plugin that is not done in time", () => {
  const isSlow = ({ request }: RequestContext): boolean => request.path === "/slow";

  test.each(["rewrite", "access", "beforeProxy"] as const)(
    "in %s costs its own request a 500, is told to stop, and is named in log and metrics",
    async (phase) => {
      const stopped: boolean[] = [];
      const stuck = plugin("stuck", {
        [phase]: (context: RequestContext) => {
          if (!isSlow(context)) return undefined;
          context.signal.addEventListener("abort", () => stopped.push(true));
          return never();
        },
      });
      await using gateway = await runGateway({
        plugins: [stuck],
        routes: { 1: { uri: "/*", plugins: { stuck: {} } } },
        options: { pluginDeadlineMs: 5 },
      });
      expect(await gateway.get("/slow")).toMatchObject({ status: 500, body: /500 Internal Server Error/ });
      expect((await gateway.get("/fast")).status).toBe(200);
      expect(stopped).toEqual([true]);
      expect(gateway.lines).toContainEqual(
        expect.objectContaining({ fields: expect.objectContaining({ plugin: "stuck", route: "1" }) }),
      );
      const { body } = await gateway.plane.renderMetrics();
      expect(body).toContain('fngate_plugin_failures_total{plugin="stuck",reason="timeout"} 1');
      expect(body).toContain('fngate_plugin_failures_total{plugin="stuck",reason="error"} 0');
    },
  );

  test("lets a later answer of its own fall away", async () => {
    let answer: ((reply: { kind: "reply"; status: number }) => void) | undefined;
    const late = plugin("late", {
      access: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    });
    await using gateway = await runGateway({
      plugins: [late],
      routes: { 1: { uri: "/*", plugins: { late: {} } } },
      options: { pluginDeadlineMs: 5 },
    });
    expect((await gateway.get("/")).status).toBe(500);
    answer?.({ kind: "reply", status: 200 });
    expect(gateway.upstream.requests).toHaveLength(0);
  });

  test("has the whole time for itself, whatever those before it took", async () => {
    const pause = (name: string): PluginDefinition =>
      plugin(name, { access: () => new Promise((resolve) => setTimeout(resolve, 30)) });
    await using gateway = await runGateway({
      plugins: [pause("one"), pause("two"), pause("three")],
      routes: { 1: { uri: "/*", plugins: { one: {}, two: {}, three: {} } } },
      options: { pluginDeadlineMs: 2_000 },
    });
    expect((await gateway.get("/")).status).toBe(200);
  });
});

test.each(["rewrite", "headerFilter", "log"] as const)("a %s that throws is counted with its plugin", async (phase) => {
  const broken = plugin("broken", {
    [phase]: () => {
      throw new Error("kaput");
    },
  });
  await using gateway = await runGateway({
    plugins: [broken],
    routes: { 1: { uri: "/*", plugins: { broken: {} } } },
  });
  expect((await gateway.get("/")).status).toBe(phase === "log" ? 200 : 500);
  await eventually(async () => {
    const { body } = await gateway.plane.renderMetrics();
    expect(body).toContain('fngate_plugin_failures_total{plugin="broken",reason="error"} 1');
  });
});

describe("run_policy prefer_route", () => {
  const counting = (seen: string[]): PluginDefinition =>
    plugin(
      "counter",
      {},
      {
        runPolicy: "prefer_route",
        setup: (config) => ({ log: () => void seen.push(String(Reflect.get(Object(config), "name"))) }),
      },
    );

  test.each([
    ["/own", ["route"]],
    ["/off", ["global"]],
    ["/none", ["global"]],
    ["/unmatched", ["global"]],
  ])("%s runs it %j", async (target, expected) => {
    const seen: string[] = [];
    await using gateway = await runGateway({
      plugins: [counting(seen)],
      globalRules: { 1: { plugins: { counter: { name: "global" } } } },
      routes: {
        1: { uri: "/own", plugins: { counter: { name: "route" } } },
        2: { uri: "/off", plugins: { counter: { _meta: { disable: true } } } },
        3: { uri: "/none" },
      },
    });
    await gateway.get(target);
    await eventually(() => expect(seen).toEqual(expected));
  });
});
