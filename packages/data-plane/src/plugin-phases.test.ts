import { Transform } from "node:stream";
import { definePlugin, type PluginInstance } from "@fngate/plugin-kit";
import { eventually, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { catalogWith, startPlane } from "./testing/running-plane.ts";

/** A plugin that does what the test says. */
function plugin(name: string, instance: PluginInstance | (() => PluginInstance), priority = 0) {
  const setup = typeof instance === "function" ? instance : () => instance;
  return definePlugin({ name, version: 0.1, priority, schema: z.looseObject({}), setup });
}

const nodes = (port: number) => ({ nodes: { [`127.0.0.1:${port}`]: 1 } });

describe("phases", () => {
  test("run global rules first, then the route, by priority, and the log last", async () => {
    const seen: string[] = [];
    const note = (name: string): PluginInstance => ({
      rewrite: () => void seen.push(`${name}.rewrite`),
      access: async () => {
        await null;
        seen.push(`${name}.access`);
      },
      headerFilter: () => void seen.push(`${name}.header`),
      log: () => void seen.push(`${name}.log`),
    });
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane({
      catalog: catalogWith(plugin("low", note("low"), 1), plugin("high", note("high"), 2), plugin("all", note("all"))),
    });
    await plane.put("global_rules/1", { id: "1", plugins: { all: {} } });
    await plane.put("routes/1", { uri: "/x", upstream: nodes(upstream.port), plugins: { low: {}, high: {} } });
    expect((await plane.send("/x")).status).toBe(200);
    await eventually(() => expect(seen).toHaveLength(12));
    const phases = ["rewrite", "access", "header", "log"];
    expect(seen).toEqual(phases.flatMap((phase) => [`all.${phase}`, `high.${phase}`, `low.${phase}`]));
  });

  test("of global rules run for unmatched requests too", async () => {
    const answer = plugin("answer", { access: () => ({ kind: "reply", status: 403, body: { message: "no" } }) });
    await using plane = await startPlane({ catalog: catalogWith(answer) });
    await plane.put("global_rules/1", { id: "1", plugins: { answer: {} } });
    expect(await plane.send("/none")).toMatchObject({ status: 403, body: '{"message":"no"}\n' });
    await plane.put("global_rules/2", { id: "2", plugins: { answer: {} } });
    expect((await plane.send("/none")).status).toBe(404);
    expect(plane.plane.diagnostics.map(({ code, id }) => [code, id])).toEqual([
      ["DUPLICATE_GLOBAL_PLUGIN", "1"],
      ["DUPLICATE_GLOBAL_PLUGIN", "2"],
    ]);
  });

  test("a plugin that throws costs its own request a 500 and is named in the log", async () => {
    const broken = plugin("broken", {
      access: ({ request }) => {
        if (request.path === "/bad") throw new Error("kaput");
      },
    });
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane({ catalog: catalogWith(broken) });
    await plane.put("routes/1", { uri: "/*", upstream: nodes(upstream.port), plugins: { broken: {} } });
    const [bad, good] = await Promise.all([plane.send("/bad"), plane.send("/good")]);
    expect(bad).toMatchObject({ status: 500, body: '{"error_msg":"500 Internal Server Error"}\n' });
    expect(good.status).toBe(200);
    expect(plane.lines.find(({ message }) => message === "request failed in the gateway")?.fields["plugin"]).toBe(
      "broken",
    );
  });

  test("a header filter that throws costs its own request a 500, whoever answered", async () => {
    const broken = plugin("broken", {
      headerFilter: () => {
        throw new Error("kaput");
      },
    });
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane({ catalog: catalogWith(broken) });
    await plane.put("routes/1", { uri: "/up", upstream: nodes(upstream.port), plugins: { broken: {} } });
    await plane.put("routes/2", { uri: "/own", plugins: { broken: {} } });
    expect((await plane.send("/up")).status).toBe(500);
    expect((await plane.send("/own")).status).toBe(500);
  });

  test("filters change status, headers and body of an answer", async () => {
    const shout = plugin("shout", {
      headerFilter: ({ response }) => {
        response.status = 203;
        response.headers.set("X-Shouted", "yes");
      },
      bodyFilter: () =>
        new Transform({
          transform: (chunk: Buffer, _encoding, done) => done(null, `${chunk.toString().toUpperCase()}!!`),
        }),
    });
    await using upstream = await startEchoUpstream({ reply: { headers: { "content-length": "5" }, body: "hello" } });
    await using plane = await startPlane({ catalog: catalogWith(shout) });
    await plane.put("routes/1", { uri: "/x", upstream: nodes(upstream.port), plugins: { shout: {} } });
    expect(await plane.send("/x")).toMatchObject({ status: 203, body: "HELLO!!", headers: { "x-shouted": "yes" } });
    expect(await plane.send("/x", { method: "HEAD" })).toMatchObject({ status: 203, body: "" });
  });
});

describe("_meta", () => {
  const tag = plugin("tag", { headerFilter: ({ response }) => response.headers.set("X-Tag", "route") ?? undefined });

  test("disable switches a plugin off, also one that a service brings", async () => {
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane({ catalog: catalogWith(tag) });
    await plane.put("services/s", { upstream: nodes(upstream.port), plugins: { tag: {} } });
    await plane.put("routes/1", { uri: "/on", service_id: "s" });
    await plane.put("routes/2", { uri: "/off", service_id: "s", plugins: { tag: { _meta: { disable: true } } } });
    expect((await plane.send("/on")).headers["x-tag"]).toBe("route");
    expect((await plane.send("/off")).headers["x-tag"]).toBeUndefined();
  });

  test("filter decides once per request", async () => {
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane({ catalog: catalogWith(tag) });
    await plane.put("routes/1", {
      uri: "/x",
      upstream: nodes(upstream.port),
      plugins: { tag: { _meta: { filter: [["arg_tag", "==", "1"]] } } },
    });
    expect((await plane.send("/x?tag=1")).headers["x-tag"]).toBe("route");
    expect((await plane.send("/x?tag=2")).headers["x-tag"]).toBeUndefined();
  });

  test("priority reorders", async () => {
    const order: string[] = [];
    const first = plugin("first", { access: () => void order.push("first") }, 10);
    const second = plugin("second", { access: () => void order.push("second") }, 5);
    await using plane = await startPlane({ catalog: catalogWith(first, second) });
    await plane.put("routes/1", { uri: "/x", plugins: { first: {}, second: { _meta: { priority: 99 } } } });
    await plane.send("/x");
    expect(order).toEqual(["second", "first"]);
  });

  test("error_response replaces the body of a plugin's error answer", async () => {
    const deny = plugin("deny", { rewrite: async () => ({ kind: "reply", status: 401, body: { message: "own" } }) });
    await using plane = await startPlane({ catalog: catalogWith(deny) });
    await plane.put("routes/1", { uri: "/x", plugins: { deny: { _meta: { error_response: "configured" } } } });
    expect(await plane.send("/x")).toMatchObject({ status: 401, body: "configured" });
  });
});

describe("plugin instances", () => {
  test("are disposed when their route is gone and the last request on it has ended", async () => {
    let disposed = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const waiting = plugin("waiting", () => ({
      access: async () => {
        entered.resolve();
        await promise;
      },
      dispose: () => {
        disposed += 1;
      },
    }));
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane({ catalog: catalogWith(waiting) });
    await plane.put("routes/1", { uri: "/x", upstream: nodes(upstream.port), plugins: { waiting: {} } });
    const running = plane.send("/x");
    await entered.promise;
    await plane.remove("routes/1");
    expect(disposed).toBe(0);
    resolve();
    expect((await running).status).toBe(200);
    await eventually(() => expect(disposed).toBe(1));
  });
});
