import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AdminHarness } from "./testing/admin-harness.ts";

const ROUTE = { uri: "/hi", plugins: {} };

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start();
});
afterAll(() => admin[Symbol.asyncDispose]());

describe("what is refused with 400 and not stored", () => {
  beforeEach(async () => {
    await admin.store.deletePrefix("/apisix/routes/x");
  });

  it.each<[string, unknown, string]>([
    [
      "an empty route",
      {},
      "invalid configuration: allOf 1 failed: value should match only one schema, but matches none",
    ],
    [
      "an empty array is an empty object",
      [],
      "invalid configuration: allOf 1 failed: value should match only one schema, but matches none",
    ],
    ["an array with items", [1], "invalid configuration: additional properties forbidden, found 1"],
    ["null", "null", "invalid configuration: wrong type: expected object, got userdata"],
    ["a number", "12", "invalid configuration: wrong type: expected object, got number"],
    ["a text", '"x"', "invalid configuration: wrong type: expected object, got string"],
    ["a boolean", "true", "invalid configuration: wrong type: expected object, got boolean"],
    ["an unknown member", { ...ROUTE, zzz: 1 }, "invalid configuration: additional properties forbidden, found zzz"],
    [
      "a member called __proto__",
      '{"uri":"/","plugins":{},"__proto__":{}}',
      "invalid configuration: additional properties forbidden, found __proto__",
    ],
    ["host and hosts", { ...ROUTE, host: "a", hosts: ["b"] }, "only one of host or hosts is allowed"],
    [
      "a bad method",
      { ...ROUTE, methods: ["FOO"] },
      'invalid configuration: property "methods" validation failed: failed to validate item 1: matches none of the enum values',
    ],
    ["an unknown plugin", { uri: "/", plugins: { nope: {} } }, "unknown plugin [nope]"],
    [
      "a plugin with a bad configuration",
      { uri: "/", plugins: { quota: { limit: 0 } } },
      'failed to check the configuration of plugin quota err: property "limit" validation failed: expected 0 to be at least 1',
    ],
    ["a plugin that is no object", { uri: "/", plugins: { quota: 1 } }, "invalid plugin conf 1 for plugin [quota]"],
    [
      "an upstream that does not exist",
      { uri: "/", upstream_id: "9" },
      "failed to fetch upstream info by upstream id [9], response code: 404",
    ],
    [
      "a service that does not exist",
      { uri: "/", service_id: 9 },
      "failed to fetch service info by service id [9], response code: 404",
    ],
    [
      "a plugin config that does not exist",
      { ...ROUTE, plugin_config_id: "x" },
      "failed to fetch plugin config info by plugin config id [x], response code: 404",
    ],
    [
      "bad vars",
      { ...ROUTE, vars: [["a", "nope", 1]] },
      "failed to validate the 'vars' expression: invalid operator 'nope'",
    ],
    ["a creation time", { ...ROUTE, create_time: 1 }, "the property is forbidden:  create_time"],
    [
      "an update time in the upstream",
      { uri: "/", upstream: { nodes: {}, update_time: 1 } },
      "the property is forbidden:  upstream.update_time",
    ],
    [
      "a plugin called create_time",
      { uri: "/", plugins: { create_time: {} } },
      "the property is forbidden:  plugins.create_time",
    ],
    ["another id than the URL's", { ...ROUTE, id: "y" }, "wrong route id"],
    ["an id that is no id", { ...ROUTE, id: {} }, "wrong route id"],
  ])("%s", async (_title, body, message) => {
    const { status, json } = await admin.call("PUT", "/routes/x", { body });
    expect({ status, json }).toEqual({ status: 400, json: { error_msg: message } });
    expect(await admin.keys("routes")).not.toContain("/apisix/routes/x");
  });
});

describe("ids", () => {
  it("the id of the URL is stored as text even when the body has it as a number", async () => {
    const { json } = await admin.call("PUT", "/routes/7", { body: { ...ROUTE, id: 7 } });
    expect(json).toMatchObject({ key: "/apisix/routes/7", value: { id: "7" } });
  });

  it("the id of the body alone keeps its type", async () => {
    const { status, json } = await admin.call("PUT", "/routes", { body: { ...ROUTE, id: 5 } });
    expect(status).toBe(201);
    expect(json).toMatchObject({ key: "/apisix/routes/5", value: { id: 5 } });
  });

  it.each(["a%20b", "%C3%A4", "x".repeat(65), "$env:X"])("%s is no id", async (id) => {
    expect(await admin.call("PUT", `/routes/${id}`, { body: ROUTE })).toMatchObject({
      status: 400,
      json: {
        error_msg: 'invalid configuration: property "id" validation failed: object matches none of the required',
      },
    });
  });

  it.each(["$env://a/../b", "$secret://vault/1/x", 0, 1.5, null, "a/b"])("%j is no id in a body", async (id) => {
    const before = await admin.keys("routes");
    expect(await admin.call("PUT", "/routes", { body: { ...ROUTE, id } })).toMatchObject({
      status: 400,
      json: {
        error_msg: 'invalid configuration: property "id" validation failed: object matches none of the required',
      },
    });
    expect(await admin.keys("routes")).toEqual(before);
  });

  it("0 is an id in the URL", async () => {
    expect(await admin.call("PUT", "/routes/0", { body: ROUTE })).toMatchObject({ status: 201 });
  });

  it("a POST with an id in its body is refused", async () => {
    expect(await admin.call("POST", "/routes", { body: { ...ROUTE, id: "1" } })).toMatchObject({
      status: 400,
      json: { error_msg: "wrong route id, do not need it" },
    });
  });

  it("generated ids come from the store's revision, so that they never repeat", async () => {
    const first = await admin.call("POST", "/routes", { body: ROUTE });
    const second = await admin.call("POST", "/routes", { body: ROUTE });
    expect(first).toMatchObject({ status: 201, json: { value: { id: expect.stringMatching(/^\d{20}$/) } } });
    expect(first.json).not.toHaveProperty("value.id", Object(second.json).value.id);
    expect((await admin.store.get("/apisix/gen_id"))?.value).toBe("1");
  });
});
