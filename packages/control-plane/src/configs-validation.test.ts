import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AdminHarness } from "./testing/admin-harness.ts";

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start();
});
afterAll(() => admin[Symbol.asyncDispose]());

const validate = (body?: unknown) => admin.call("POST", "/configs/validate", { body });
const ROUTE = { id: "r", uri: "/", plugins: {} };

describe("a document without problems", () => {
  it.each([
    {},
    {
      routes: [],
      services: {},
      consumers: [],
      ssls: [],
      anything: 1,
      plugins: [{ name: "x" }],
      routes_conf_version: 3,
    },
    { routes: [{ ...ROUTE, service_id: "elsewhere" }], services: [{ id: "s" }] },
  ])("%j is fine and nothing is stored", async (body) => {
    const answer = await validate(body);
    expect(answer).toMatchObject({ status: 200, text: "{}\n" });
    expect(answer.headers).not.toHaveProperty("x-api-version");
    expect(await admin.keys("routes")).toEqual([]);
  });
});

it("every problem is listed with its place", async () => {
  const answer = await validate({
    routes: [ROUTE, { id: "r", uri: 1 }, { id: 5, uri: "/", plugins: { nope: {} } }, "text"],
    routes_conf_version: "1",
    consumers: [{ username: "jack" }],
    upstreams: { id: "u" },
  });
  expect(answer).toMatchObject({ status: 400 });
  expect(answer.json).toEqual({
    error_msg: "Configuration validation failed",
    errors: [
      { resource_type: "routes", error: "routes_conf_version must be a number, got string" },
      {
        resource_type: "routes",
        resource_id: "r",
        index: 1,
        error: 'invalid configuration: property "uri" validation failed: wrong type: expected string, got number',
      },
      { resource_type: "routes", resource_id: "r", index: 1, error: "found duplicate id r in routes" },
      { resource_type: "routes", resource_id: 5, index: 2, error: "unknown plugin [nope]" },
      {
        resource_type: "routes",
        resource_id: "",
        index: 3,
        error: "invalid configuration: wrong type: expected object",
      },
      { resource_type: "upstreams", error: "upstreams must be an array" },
      { resource_type: "consumers", resource_id: "jack", index: 0, error: "Unsupported resource type: consumers" },
    ],
  });
});

it.each([
  [undefined, "invalid request body: empty request body"],
  ["[1]", "invalid request body: expected an object"],
  ["{", "invalid request body: Expected object key string but found T_END at character 2"],
])("%j is no document", async (body, message) => {
  expect(await validate(body)).toMatchObject({ status: 400, json: { error_msg: message } });
});

it("only POST leads there", async () => {
  expect(await admin.call("GET", "/configs/validate")).toMatchObject({
    status: 404,
    json: { error_msg: "Unsupported resource type: configs" },
  });
});
