import { createCatalog } from "@fngate/plugins";
import { afterAll, beforeAll, expect, it } from "vitest";
import { AdminHarness } from "./testing/admin-harness.ts";

const FUNCTION_URI = "http://localhost:3233/default/function-sample/test";

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start({ catalog: createCatalog() });
});
afterAll(() => admin[Symbol.asyncDispose]());

const routeTo = (conf: unknown) => ({ uri: "/hello", plugins: { openfunction: conf } });

it("the openfunction document's route is stored with its token encrypted and read in clear", async () => {
  const conf = { function_uri: FUNCTION_URI, authorization: { service_token: "test:test" } };
  const put = await admin.call("PUT", "/routes/1", { body: routeTo(conf) });
  expect(put.status).toBe(201);
  expect(put.text).not.toContain("test:test");
  expect((await admin.store.get("/apisix/routes/1"))?.value).not.toContain("test:test");
  expect(await admin.call("GET", "/routes/1")).toMatchObject({ json: { value: routeTo(conf) } });
});

it("a plain upstream under the same id takes the plugin away", async () => {
  const body = {
    methods: ["GET"],
    uri: "/index.html",
    upstream: { type: "roundrobin", nodes: { "127.0.0.1:1980": 1 } },
  };
  const { status, json } = await admin.call("PUT", "/routes/1", { body });
  expect(status).toBe(200);
  expect(json).not.toHaveProperty("value.plugins");
});

it.each([
  [{}, 'property "function_uri" is required'],
  [{ function_uri: FUNCTION_URI, timeout: 1 }, 'property "timeout" validation failed: expected 1 to be at least 100'],
  [{ function_uri: 1 }, 'property "function_uri" validation failed: wrong type: expected string, got number'],
])("the configuration %j is refused in APISIX's words", async (conf, reason) => {
  const { status, json } = await admin.call("PUT", "/routes/bad", { body: routeTo(conf) });
  expect({ status, json }).toEqual({
    status: 400,
    json: { error_msg: `failed to check the configuration of plugin openfunction err: ${reason}` },
  });
  expect(await admin.keys("routes")).not.toContain("/apisix/routes/bad");
});
