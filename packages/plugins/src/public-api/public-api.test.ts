import { definePlugin, type PluginDefinition } from "@fngate/plugin-kit";
import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { publicApi } from "./index.ts";
import { publicApiSchema } from "./schema.ts";

describePlugin(publicApi, { folder: import.meta.dirname, config: {} });

describeSchema(publicApiSchema, {
  defaults: [{}, {}],
  accepts: [{ uri: "/apisix/status", other: 1 }],
  refuses: [[{ uri: 3233 }, "uri"]],
});

/** A plugin with one endpoint. */
const greeter = definePlugin({
  name: "greeter",
  version: 0.1,
  priority: 10,
  schema: z.object({}),
  setup: () => ({}),
  publicApis: () => [
    {
      methods: ["GET"],
      path: "/apisix/greeting",
      handle: ({ request }) => ({ kind: "reply", status: 201, body: `hello to ${request.path}` }),
    },
  ],
});

function start(routes: Readonly<Record<string, Readonly<Record<string, unknown>>>>) {
  const plugins = [publicApi, greeter].map((plugin) => plugin as PluginDefinition);
  return gatewayWith(publicApi, {}, { plugins, routes });
}

describe("public-api", () => {
  it("publishes the endpoint of the request's path", async () => {
    await using gateway = await start({ 1: { uri: "/apisix/*", plugins: { "public-api": {} } } });
    expect(await gateway.get("/apisix/greeting")).toMatchObject({ status: 201, body: "hello to /apisix/greeting" });
  });

  it("publishes an endpoint under another path", async () => {
    await using gateway = await start({ 1: { uri: "/hi", plugins: { "public-api": { uri: "/apisix/greeting" } } } });
    expect(await gateway.get("/hi")).toMatchObject({ status: 201, body: "hello to /hi" });
  });

  it.each([
    ["a path without endpoint", "/apisix/none", "GET"],
    ["another method", "/apisix/greeting", "POST"],
  ])("answers 404 for %s", async (_what, path, method) => {
    await using gateway = await start({ 1: { uri: "/apisix/*", plugins: { "public-api": {} } } });
    expect((await gateway.send(path, { method })).status).toBe(404);
    expect(gateway.upstream.requests).toEqual([]);
  });

  it("publishes nothing by itself", async () => {
    await using gateway = await start({ 1: { uri: "/other", plugins: { "public-api": {} } } });
    expect((await gateway.get("/apisix/greeting")).status).toBe(404);
  });
});
