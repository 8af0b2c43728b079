import { afterAll, beforeAll, expect, it } from "vitest";
import { AdminHarness } from "./testing/admin-harness.ts";

const ROUTE = { uri: "/hi", plugins: {} };
const TIMES = { create_time: expect.any(Number), update_time: expect.any(Number) };

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start({ apiVersion: "v2" });
});
afterAll(() => admin[Symbol.asyncDispose]());

it("answers of version 2 name what was done to a node", async () => {
  const value = { id: "1", ...ROUTE, ...TIMES };
  const node = { key: "/apisix/routes/1", value };
  expect(await admin.call("PUT", "/routes/1", { body: ROUTE })).toMatchObject({
    status: 201,
    headers: { "x-api-version": "v2" },
    json: { action: "set", node },
  });
  expect((await admin.call("GET", "/routes/1")).json).toEqual({ action: "get", node });
  const indexes = { createdIndex: expect.any(Number), modifiedIndex: expect.any(Number) };
  const list = { action: "get", node: { dir: true, key: "/apisix/routes", nodes: [{ ...node, ...indexes }] } };
  expect((await admin.call("GET", "/routes")).json).toEqual(list);
  expect((await admin.call("GET", "/routes?page=1&page_size=5&name=none")).json).toEqual(list);
  expect((await admin.call("PATCH", "/routes/1", { body: { name: "n" } })).json).toEqual({
    action: "compareAndSwap",
    node: { ...node, value: { ...value, name: "n" } },
  });
  expect((await admin.call("POST", "/routes", { body: ROUTE })).json).toMatchObject({ action: "create" });
  expect((await admin.call("DELETE", "/routes/1")).json).toEqual({
    action: "delete",
    deleted: "1",
    key: "/apisix/routes/1",
    node: {},
  });
  expect(await admin.call("GET", "/routes/1")).toMatchObject({ status: 404, json: { message: "Key not found" } });
});

it("the description of version 3 is not served with them", async () => {
  expect((await admin.call("GET", "/openapi.json")).status).toBe(404);
});
