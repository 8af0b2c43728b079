import { describePlugin } from "@fngate/plugin-kit/testing";
import { startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { azureFunctions } from "./index.ts";
import { azureFunctionsMetadataSchema } from "./metadata.ts";
import { azureFunctionsSchema } from "./schema.ts";

const uri = "https://app.example/api/fn";

describePlugin(azureFunctions, {
  folder: import.meta.dirname,
  config: { function_uri: "//fn.example/path", authorization: { apikey: "very-secret-key", clientid: "me" } },
  metadata: { master_apikey: "secret-of-the-master" },
});

describeSchema(azureFunctionsSchema, {
  defaults: [
    { function_uri: uri },
    {
      function_uri: uri,
      ssl_verify: true,
      timeout: 3000,
      keepalive: true,
      keepalive_timeout: 60_000,
      keepalive_pool: 5,
      max_req_body_size: 67_108_864,
    },
  ],
  accepts: [
    { function_uri: uri, authorization: {} },
    { function_uri: uri, authorization: { apikey: "k", clientid: "c", other: 1 } },
  ],
  refuses: [
    [{}, "function_uri"],
    [{ function_uri: uri, authorization: "k" }, "authorization"],
    [{ function_uri: uri, authorization: { apikey: 1 } }, "authorization.apikey"],
    [{ function_uri: uri, authorization: { clientid: 1 } }, "authorization.clientid"],
  ],
});

describeSchema(azureFunctionsMetadataSchema, {
  defaults: [{}, { master_apikey: "", master_clientid: "" }],
  accepts: [{ master_apikey: "k", other: 1 }],
  refuses: [
    [{ master_apikey: 1 }, "master_apikey"],
    [{ master_clientid: 1 }, "master_clientid"],
  ],
});

describe("azure-functions", () => {
  /** What a function sees of one request. */
  async function seen(authorization?: object, setup: { metadata?: object; headers?: Record<string, string> } = {}) {
    await using azure = await startEchoUpstream();
    const config = { function_uri: `${azure.origin}/api`, ...(authorization && { authorization }) };
    const { headers = {}, metadata } = setup;
    await using gateway = await gatewayWith(azureFunctions, config, {
      ...(metadata && { pluginMetadata: { "azure-functions": { ...metadata } } }),
    });
    expect((await gateway.get("/fn?x=1", headers)).status).toBe(200);
    expect(azure.requests[0]?.url).toBe("/api/fn?x=1");
    return azure.requests[0]?.headers ?? {};
  }

  const masters = { master_apikey: "master", master_clientid: "" };

  it("sends key and client of the configuration, and not what it lacks", async () => {
    expect(await seen({ apikey: "k", clientid: "c" })).toMatchObject({
      "x-functions-key": "k",
      "x-functions-clientid": "c",
    });
    expect(await seen({ clientid: "c" }, { metadata: masters })).not.toHaveProperty("x-functions-key");
    expect(await seen({}, { metadata: masters })).not.toHaveProperty("x-functions-key");
  });

  it("sends those of the metadata when the configuration has no authorization, empty ones too", async () => {
    expect(await seen(undefined, { metadata: masters })).toMatchObject({
      "x-functions-key": "master",
      "x-functions-clientid": "",
    });
    expect(await seen(undefined)).not.toHaveProperty("x-functions-key");
  });

  it.each(["x-functions-key", "x-functions-clientid"])("adds nothing when the client sent its own %s", async (name) => {
    const headers = await seen({ apikey: "k", clientid: "c" }, { metadata: masters, headers: { [name]: "own" } });
    const sent = Object.entries(headers).filter(([field]) => field.startsWith("x-functions"));
    expect(sent).toEqual([[name, "own"]]);
  });

  it("follows the metadata while it runs", async () => {
    await using azure = await startEchoUpstream();
    await using gateway = await gatewayWith(azureFunctions, { function_uri: azure.origin });
    await gateway.get("/");
    await gateway.put("plugin_metadata/azure-functions", { id: "azure-functions", master_apikey: "later" });
    await gateway.get("/");
    expect(azure.requests.map(({ headers }) => headers["x-functions-key"])).toEqual([undefined, "later"]);
  });
});
