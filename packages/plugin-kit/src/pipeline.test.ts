import { PassThrough } from "node:stream";
import { GatewayError } from "@fngate/kernel";
import { describe, expect, it } from "vitest";
import type { ResponseContext } from "./context.ts";
import {
  type ConfiguredPlugin,
  collectBodyFilters,
  compilePipeline,
  EMPTY_PIPELINE,
  isPending,
  runHeaderFilters,
  runLogPhase,
  runRequestPhase,
} from "./pipeline.ts";
import type { PluginInstance } from "./plugin.ts";
import { fakeLogContext, fakeRequestContext } from "./testing/fake-request-context.ts";

const reply = (status: number) => ({ kind: "reply", status }) as const;

function plugin(name: string, priority: number, instance: PluginInstance): ConfiguredPlugin {
  return { name, priority, instance };
}

const logContext = fakeLogContext;

describe("compilePipeline", () => {
  it("sorts each phase by descending priority, response phases too", () => {
    const both: PluginInstance = { access: () => undefined, log: () => undefined };
    const pipeline = compilePipeline([plugin("low", -5, both), plugin("high", 100, both), plugin("mid", 7, both)]);
    expect(pipeline.access.map((hook) => hook.plugin)).toEqual(["high", "mid", "low"]);
    expect(pipeline.log.map((hook) => hook.plugin)).toEqual(["high", "mid", "low"]);
  });

  it("keeps the given order among equal priorities", () => {
    const instance: PluginInstance = { rewrite: () => undefined };
    const pipeline = compilePipeline([plugin("a", 1, instance), plugin("b", 1, instance)]);
    expect(pipeline.rewrite.map((hook) => hook.plugin)).toEqual(["a", "b"]);
  });

  it("holds only the plugins that implement the phase", () => {
    const pipeline = compilePipeline([plugin("a", 1, { access: () => undefined }), plugin("b", 2, {})]);
    expect(pipeline.access).toHaveLength(1);
    expect([pipeline.rewrite, pipeline.beforeProxy, pipeline.headerFilter, pipeline.bodyFilter, pipeline.log]).toEqual([
      [],
      [],
      [],
      [],
      [],
    ]);
  });

  it("shares one frozen pipeline among routes without plugins", () => {
    expect(compilePipeline([])).toBe(EMPTY_PIPELINE);
    expect(Object.values(EMPTY_PIPELINE).every((hooks) => Object.isFrozen(hooks))).toBe(true);
  });

  it("runs a phase as a method of its instance", () => {
    class Counting implements PluginInstance {
      calls = 0;
      access() {
        this.calls += 1;
      }
    }
    const instance = new Counting();
    const { access } = compilePipeline([plugin("counting", 1, instance)]);
    expect(runRequestPhase(access, fakeRequestContext())).toBeUndefined();
    expect(instance.calls).toBe(1);
  });
});

describe("runRequestPhase", () => {
  it("answers synchronously while every hook does", () => {
    const { access } = compilePipeline([
      plugin("a", 2, { access: () => undefined }),
      plugin("b", 1, { access: () => reply(204) }),
    ]);
    expect(runRequestPhase(access, fakeRequestContext())).toEqual(reply(204));
  });

  it("stops at the first hook that ends the request", () => {
    const seen: string[] = [];
    const { access } = compilePipeline([
      plugin("first", 2, { access: () => reply(403) }),
      plugin("second", 1, { access: () => void seen.push("second") }),
    ]);
    expect(runRequestPhase(access, fakeRequestContext())).toEqual(reply(403));
    expect(seen).toEqual([]);
  });

  it("returns a promise once a hook does, and goes on with the hooks after it", async () => {
    const seen: string[] = [];
    const { access } = compilePipeline([
      plugin("sync", 4, { access: () => void seen.push("sync") }),
      plugin("async", 3, { access: async () => void seen.push("async") }),
      plugin("later", 2, { access: async () => reply(401) }),
      plugin("never", 1, { access: () => void seen.push("never") }),
    ]);
    const result = runRequestPhase(access, fakeRequestContext());
    expect(isPending(result)).toBe(true);
    expect(await result).toEqual(reply(401));
    expect(seen).toEqual(["sync", "async"]);
  });

  it("names the plugin whose hook throws or rejects, and keeps the cause", async () => {
    const cause = new Error("boom");
    const throwing = compilePipeline([
      plugin("sync", 1, {
        access: () => {
          throw cause;
        },
      }),
    ]);
    const rejecting = compilePipeline([plugin("async", 1, { access: () => Promise.reject(cause) })]);
    expect(() => runRequestPhase(throwing.access, fakeRequestContext())).toThrow(
      expect.objectContaining({ code: "PLUGIN_FAILED", cause, details: { plugin: "sync" } }),
    );
    await expect(runRequestPhase(rejecting.access, fakeRequestContext())).rejects.toMatchObject({
      code: "PLUGIN_FAILED",
      cause,
      details: { plugin: "async" },
    });
  });
});

describe("response phases", () => {
  it("lets header filters change the answer in order", () => {
    const add =
      (value: string) =>
      (context: ResponseContext): undefined => {
        context.response.headers.append("x-seen", value);
      };
    const context = logContext();
    const pipeline = compilePipeline([
      plugin("b", 1, { headerFilter: add("b") }),
      plugin("a", 2, { headerFilter: add("a") }),
    ]);
    runHeaderFilters(pipeline.headerFilter, context);
    expect(context.response.headers.getAll("x-seen")).toEqual(["a", "b"]);
  });

  it("stops at a header filter that throws", () => {
    const pipeline = compilePipeline([
      plugin("bad", 1, {
        headerFilter: () => {
          throw new Error("boom");
        },
      }),
    ]);
    expect(() => runHeaderFilters(pipeline.headerFilter, logContext())).toThrow(GatewayError);
  });

  it("collects only the transforms of plugins that want the body", () => {
    const transform = new PassThrough();
    const pipeline = compilePipeline([
      plugin("none", 2, { bodyFilter: () => undefined }),
      plugin("one", 1, { bodyFilter: () => transform }),
    ]);
    expect(collectBodyFilters(pipeline.bodyFilter, logContext())).toEqual([transform]);
  });

  it("reports a log hook that throws and runs the next one", () => {
    const seen: string[] = [];
    const reported: GatewayError[] = [];
    const pipeline = compilePipeline([
      plugin("bad", 2, {
        log: () => {
          throw new Error("disk full");
        },
      }),
      plugin("good", 1, { log: () => void seen.push("good") }),
    ]);
    runLogPhase(pipeline.log, logContext(), (error) => reported.push(error));
    expect(seen).toEqual(["good"]);
    expect(reported).toMatchObject([{ code: "PLUGIN_FAILED", details: { plugin: "bad" } }]);
  });
});
