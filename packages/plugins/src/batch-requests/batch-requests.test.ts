import { type RunningGateway, runGateway } from "@fngate/data-plane/testing";
import { definePlugin, type PluginDefinition } from "@fngate/plugin-kit";
import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { batchRequests } from "./index.ts";

describePlugin(batchRequests, { folder: import.meta.dirname, config: {} });

/** Publishes endpoints on a route, as the `public-api` plugin does. */
const publish = definePlugin({
  name: "publish",
  version: 0.1,
  priority: 1,
  schema: z.looseObject({}),
  setup: (_config, { plugins }) => ({
    access: (context) => plugins.findApi(context.request.method, context.request.path)?.handle(context),
  }),
});

function gatewayWithBatches(metadata: object = {}): Promise<RunningGateway> {
  return runGateway({
    plugins: [batchRequests, publish].map((plugin) => plugin as PluginDefinition),
    routes: { 1: { uri: "/*" }, 2: { uri: "/apisix/batch-requests", plugins: { publish: {} } } },
    pluginMetadata: { "batch-requests": { ...metadata } },
  });
}

const post = (gateway: RunningGateway, batch: unknown) =>
  gateway.send("/apisix/batch-requests", {
    method: "POST",
    body: typeof batch === "string" ? batch : JSON.stringify(batch),
    headers: { "x-outer": "outer", "content-type": "application/json" },
  });

describe("batch-requests", () => {
  it("answers every request of a batch, in order", async () => {
    await using gateway = await gatewayWithBatches();
    const answer = await post(gateway, {
      query: { base: "1", own: "no" },
      headers: { "X-Base": "base", "X-Own": "no" },
      pipeline: [
        { path: "/b", query: { own: "a b" }, headers: { "x-own": "yes" } },
        { method: "PUT", path: "/c?d=e", body: "text" },
      ],
    });
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json");
    const answers = JSON.parse(answer.body) as { status: number; reason: string; body: string; headers: object }[];
    expect(answers).toMatchObject([{ status: 200, reason: "OK" }, { status: 200 }]);
    expect(answers[0]?.headers).toMatchObject({ "content-type": "application/json" });
    const [first, second] = gateway.upstream.requests;
    expect(first).toMatchObject({ method: "GET", url: "/b?base=1&own=a%20b" });
    expect(first?.headers).toMatchObject({ "x-base": "base", "x-own": "yes", "x-outer": "outer" });
    expect(first?.headers).not.toHaveProperty("content-type");
    expect(second).toMatchObject({ method: "PUT", url: "/c?d=e&base=1&own=no" });
    expect(second?.body.toString()).toBe("text");
  });

  it("tells of each request what the gateway itself answered", async () => {
    await using gateway = await gatewayWithBatches();
    await gateway.remove("routes/1");
    const { body } = await post(gateway, { pipeline: [{ path: "/none" }] });
    expect(JSON.parse(body)).toMatchObject([{ status: 404, reason: "Not Found" }]);
  });

  it.each([
    ["", 400, "no request body, you should give at least one pipeline setting"],
    ["{", 400, "invalid request body: it is not JSON"],
    [{}, 400, 'bad request body: object matches none of the required: ["pipeline"]'],
    [
      { pipeline: [] },
      400,
      'bad request body: property "pipeline" validation failed: expect array to have at least 1 items',
    ],
    [
      { pipeline: [{ path: "/a" }, { path: "/b" }, { path: "/c" }] },
      400,
      "too many pipeline requests, 3 exceeds the maximum of 2",
    ],
    [
      { pipeline: [{ version: 2, path: "/a" }] },
      400,
      'bad request body: property "pipeline" validation failed: failed to validate item 1: property "version" validation failed: matches none of the enum values',
    ],
    [
      { pipeline: [{ method: "WRONG", path: "/a" }] },
      400,
      'bad request body: property "pipeline" validation failed: failed to validate item 1: property "method" validation failed: matches none of the enum values',
    ],
    [
      { pipeline: [{ path: "/a", body: "x".repeat(200) }] },
      413,
      "request size 238 is greater than the maximum size 150 allowed",
    ],
  ])("refuses %j with %i: %s", async (batch, status, text) => {
    await using gateway = await gatewayWithBatches({ max_pipeline_items: 2, max_body_size: 150 });
    const answer = await post(gateway, batch);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([status, { error_msg: text }]);
  });
});
