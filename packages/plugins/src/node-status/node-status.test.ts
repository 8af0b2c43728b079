import type { PluginDefinition } from "@fngate/plugin-kit";
import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { publicApi } from "../public-api/index.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { nodeStatus } from "./index.ts";
import { nodeStatusSchema } from "./schema.ts";

describePlugin(nodeStatus, { folder: import.meta.dirname, config: {} });

describeSchema(nodeStatusSchema, { defaults: [{}, {}], accepts: [{ other: 1 }], refuses: [] });

describe("node-status", () => {
  it("tells id, connections and requests", async () => {
    const plugins = [publicApi, nodeStatus].map((plugin) => plugin as PluginDefinition);
    const options = { identity: { id: "gateway-a", version: "3.18.0" } };
    await using gateway = await gatewayWith(publicApi, {}, { plugins, options });
    await gateway.get("/none");
    const { body, status } = await gateway.get("/apisix/status");
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      id: "gateway-a",
      status: {
        active: expect.stringMatching(/^[12]$/),
        accepted: "2",
        handled: "2",
        total: "2",
        reading: "0",
        writing: "1",
        waiting: expect.stringMatching(/^[01]$/),
      },
    });
  });
});
