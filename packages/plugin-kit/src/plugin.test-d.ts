import { assertType, describe, expectTypeOf, it } from "vitest";
import { z } from "zod";
import type { Credential } from "./consumer.ts";
import type { FunctionCall, Reply } from "./context.ts";
import { definePlugin, type PluginDefinition, type PluginInstance } from "./plugin.ts";

const reply: Reply = { kind: "reply", status: 200 };

describe("phases", () => {
  it("lets request phases answer, go on, or promise either", () => {
    assertType<PluginInstance>({ rewrite: () => reply, access: async () => undefined, beforeProxy: () => {} });
  });

  it("refuses a log phase that answers", () => {
    // @ts-expect-error the answer has already gone out
    assertType<PluginInstance>({ log: () => reply });
  });

  it("refuses a header filter that waits", () => {
    // @ts-expect-error headers cannot be held back
    assertType<PluginInstance>({ headerFilter: async () => undefined });
  });

  it("refuses a header filter that answers", () => {
    // @ts-expect-error only request phases answer
    assertType<PluginInstance>({ headerFilter: () => reply });
  });

  it("refuses a body filter that is not a transform", () => {
    // @ts-expect-error a body filter returns a stream or nothing
    assertType<PluginInstance>({ bodyFilter: () => "text" });
  });

  it("refuses a status without its kind as an answer", () => {
    // @ts-expect-error a reply says that it is one
    assertType<PluginInstance>({ access: () => ({ status: 403 }) });
  });

  it("refuses a function call without an endpoint", () => {
    // @ts-expect-error a call needs a pool to go through
    assertType<FunctionCall>({ kind: "call", method: "GET", target: "/" });
  });
});

describe("definePlugin", () => {
  it("takes the plugin of the README", () => {
    definePlugin({
      name: "greeting",
      version: 0.1,
      priority: 10,
      schema: z.object({ text: z.string().default("hello").describe("What is answered.") }),
      setup: ({ text }) => ({ access: () => ({ kind: "reply", status: 200, body: text }) }),
    });
  });

  it("infers what setup gets from the schema", () => {
    definePlugin({
      name: "typed",
      version: 0.1,
      priority: 1,
      schema: z.object({ limit: z.int().default(5) }),
      setup(config) {
        expectTypeOf(config).toEqualTypeOf<{ limit: number }>();
        return {};
      },
    });
  });

  it("infers what consumers and metadata hold from their schemas", () => {
    definePlugin({
      name: "typed",
      version: 0.1,
      priority: 1,
      schema: z.object({}),
      consumerSchema: z.object({ key: z.string(), uses: z.int().default(1) }),
      metadataSchema: z.object({ realm: z.string().optional() }),
      setup(_config, { consumers, metadata }) {
        expectTypeOf(consumers.find).returns.toEqualTypeOf<Credential<{ key: string; uses: number }> | undefined>();
        expectTypeOf(metadata.current).toEqualTypeOf<{ realm?: string | undefined } | undefined>();
        return {};
      },
      publicApis({ metadata }) {
        expectTypeOf(metadata.current?.realm).toEqualTypeOf<string | undefined>();
        return [];
      },
    });
  });

  it("says nothing of what a consumer or metadata holds without a schema of it", () => {
    definePlugin({
      name: "typed",
      version: 0.1,
      priority: 1,
      schema: z.object({ key: z.string() }),
      setup(_config, { consumers, metadata }) {
        expectTypeOf(consumers.find).returns.toEqualTypeOf<Credential<unknown> | undefined>();
        expectTypeOf(metadata.current).toEqualTypeOf<unknown>();
        return {};
      },
    });
  });

  it("refuses a consumer schema whose type is none of the directory's", () => {
    type ConsumerSchema = PluginDefinition<object, { key: string }>["consumerSchema"];
    expectTypeOf(z.object({ key: z.string() })).toExtend<ConsumerSchema>();
    expectTypeOf(z.object({ key: z.number() })).not.toExtend<ConsumerSchema>();
  });

  it("refuses a setup that has to be awaited", () => {
    definePlugin({
      name: "slow",
      version: 0.1,
      priority: 1,
      schema: z.object({}),
      // @ts-expect-error setup is free of I/O
      setup: async () => ({ access: () => undefined }),
    });
  });
});
