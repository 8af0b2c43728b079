import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AdminHarness, catalogOf } from "./testing/admin-harness.ts";
import { clickLogger, keyAuth } from "./testing/plugins.ts";

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start();
});
afterAll(() => admin[Symbol.asyncDispose]());

it("the plugin list is sorted by priority", async () => {
  expect(await admin.call("GET", "/plugins/list")).toMatchObject({ status: 200, text: '["tag","quota"]\n' });
  expect(await admin.call("GET", "/plugins/list?subsystem=stream")).toMatchObject({ status: 200, json: [] });
  expect(await admin.call("GET", "/plugins/list?subsystem=x")).toMatchObject({
    status: 400,
    text: "invalid subsystem passed",
  });
});

it.each(["/plugins/quota", "/schema/plugins/quota"])("%s is the plugin's JSON Schema", async (path) => {
  expect(await admin.call("GET", path)).toMatchObject({
    status: 200,
    json: {
      type: "object",
      properties: { limit: { type: "integer", minimum: 1 }, _meta: { type: "object" } },
      required: ["limit"],
      encrypt_fields: ["token"],
      $comment: "this is a mark for our injected plugin schema",
    },
  });
});

it.each([
  ["/plugins", 404, "plugin not found in subsystem http"],
  ["/plugins/quota?subsystem=stream", 404, "plugin not found in subsystem stream"],
  ["/plugins/quota?subsystem=x", 400, "unsupported subsystem: x"],
  ["/plugins/quota?schema_type=consumer", 400, "not found schema"],
  ["/schema/routes", 400, "not found schema: routes"],
  ["/schema/validate/routes", 400, "not found schema: validate"],
])("GET %s answers %i", async (path, status, message) => {
  expect(await admin.call("GET", path)).toMatchObject({ status, json: { error_msg: message } });
});

it("all plugins are shown at once for pickers", async () => {
  expect(await admin.call("GET", "/plugins?all=true")).toMatchObject({
    status: 200,
    json: { quota: { priority: 10, version: 0.1, schema: { type: "object" } }, tag: { priority: 20 } },
  });
});

describe("a reload of plugins", () => {
  it("publishes for APISIX's data planes which plugins there are", async () => {
    await using other = await AdminHarness.start({ catalog: catalogOf(keyAuth, clickLogger) });
    const answer = await other.call("PUT", "/plugins/reload");
    expect(answer).toMatchObject({ status: 200, text: "done" });
    expect(answer.headers).not.toHaveProperty("x-api-version");
    expect(JSON.parse((await other.store.get("/apisix/plugins"))?.value ?? "")).toEqual([
      { name: "key-auth" },
      { name: "click-logger" },
      { name: "click-logger", stream: true },
    ]);
  });

  it.each(["GET", "POST", "DELETE", "PATCH"])("is no business of %s", async (method) => {
    expect(await admin.call(method, "/plugins/reload")).toMatchObject({
      status: 405,
      json: { error_msg: `please use PUT method to reload the plugins, ${method} method is not allowed.` },
    });
    expect(await admin.call(method, "/plugins/reload", { isAnonymous: true })).toMatchObject({ status: 401 });
  });
});

it("the schemas of a plugin for other places are shown with it", async () => {
  await using other = await AdminHarness.start({ catalog: catalogOf(keyAuth, clickLogger) });
  const consumerSchema = { properties: { key: { type: "string" } }, required: ["key"], encrypt_fields: ["key"] };
  expect((await other.call("GET", "/plugins/key-auth?schema_type=consumer")).json).toMatchObject(consumerSchema);
  expect((await other.call("GET", "/plugins?all=true")).json).toMatchObject({
    "key-auth": { type: "auth", consumer_schema: consumerSchema },
    "click-logger": { metadata_schema: { required: ["ikey"] } },
  });
  expect((await other.call("GET", "/plugins/list?subsystem=stream")).json).toEqual(["click-logger"]);
  expect((await other.call("GET", "/plugins/click-logger?subsystem=stream")).json).toMatchObject({
    properties: { size: { type: "integer" }, _meta: { type: "object" } },
  });
  expect((await other.call("GET", "/plugins?all=true&subsystem=stream")).json).toMatchObject({
    "click-logger": { scope: "global", schema: { properties: { size: { type: "integer" } } } },
  });
});

it("the schema of a kind says what clients may send", async () => {
  expect(await admin.call("GET", "/schema/route")).toMatchObject({
    status: 200,
    json: { type: "object", properties: { uri: { type: "string" } } },
  });
});

it.each([
  ["id_schema", { anyOf: [{ type: "string" }, { type: "integer", minimum: 1 }] }],
  ["host_def", { type: "string", pattern: expect.any(String) }],
  ["ip_def", [{ format: "ipv4" }, {}, { format: "ipv6" }, {}]],
  ["uri_def", { type: "string" }],
  ["method_schema", { enum: expect.arrayContaining(["GET", "PURGE"]) }],
  ["label_value_def", { minLength: 1, maxLength: 256 }],
  ["health_checker", { properties: { active: { properties: { http_path: { default: "/" } } } } }],
  ["health_checker_active", { properties: { concurrency: { default: 10 } } }],
  ["health_checker_passive", { properties: { unhealthy: { properties: { timeouts: { default: 7 } } } } }],
  ["discovery_nodes", { type: "array", items: { required: ["host", "weight"] } }],
  ["plugin_injected_schema", { _meta: { additionalProperties: false } }],
  ["anonymous_consumer_schema", { type: "string", minLength: 1 }],
  ["upstream_hash_vars_schema", { pattern: expect.stringContaining("remote_addr") }],
  ["upstream_hash_header_schema", { pattern: "^[a-zA-Z0-9-_]+$" }],
  ["upstream_hash_vars_combinations_schema", { type: "string" }],
  ["plugins", { type: "array", items: { required: ["name"] } }],
])("the part %s of schemas can be asked for", async (name, schema) => {
  expect(await admin.call("GET", `/schema/${name}`)).toMatchObject({ status: 200, json: schema });
});

it("validating checks the schema and nothing else", async () => {
  const validate = (kind: string, body?: unknown) => admin.call("POST", `/schema/validate/${kind}`, { body });
  expect(await validate("routes", { uri: "/", upstream_id: "missing" })).toMatchObject({ status: 200, text: "" });
  expect(await validate("routes")).toMatchObject({
    status: 400,
    json: { error_msg: "wrong type: expected object, got nil" },
  });
  expect(await validate("nope", {})).toMatchObject({
    status: 404,
    json: { error_msg: "Unsupported resource type: nope" },
  });
});
