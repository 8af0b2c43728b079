import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AdminHarness } from "./testing/admin-harness.ts";

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start();
});
afterAll(() => admin[Symbol.asyncDispose]());

const BASE = "/services/shop/graphql_cost_decorations";

beforeEach(async () => {
  await admin.store.deletePrefix("/apisix/services/");
  await admin.call("PUT", "/services/shop", { body: {} });
  await admin.call("PUT", `${BASE}/d1`, { body: { field_path: "Query.products", add_value: 2 } });
});

describe("decorations of a service", () => {
  it("carry their service's id, are listed below it and nowhere else", async () => {
    const posted = await admin.call("POST", BASE, { body: { field_path: "Product", service_id: "shop" } });
    expect(posted).toMatchObject({ status: 201, json: { value: { id: expect.stringMatching(/^\d{20}$/) } } });
    const { json } = await admin.call("GET", BASE);
    expect(json).toMatchObject({
      total: 2,
      list: expect.arrayContaining([
        expect.objectContaining({
          key: "/apisix/services/shop/graphql_cost_decorations/d1",
          value: expect.objectContaining({ id: "d1", service_id: "shop", add_value: 2 }),
        }),
      ]),
    });
    expect((await admin.call("GET", "/services")).json).toMatchObject({
      total: 1,
      list: [{ key: "/apisix/services/shop" }],
    });
    await admin.call("PUT", "/services/shop2", { body: {} });
    expect((await admin.call("GET", "/services/shop2/graphql_cost_decorations")).status).toBe(404);
    const twin = { body: { field_path: "Product" } };
    expect((await admin.call("PUT", "/services/shop2/graphql_cost_decorations/d1", twin)).status).toBe(201);
  });

  it("are patched by merge, whatever follows the id", async () => {
    const patched = await admin.call("PATCH", `${BASE}/d1/mul_value`, { body: { mul_value: 3 } });
    expect(patched).toMatchObject({ status: 200, json: { value: { add_value: 2, mul_value: 3, service_id: "shop" } } });
  });

  it("go with their service, and not when it is kept", async () => {
    await admin.call("PUT", "/routes/9", { body: { uri: "/", service_id: "shop" } });
    expect((await admin.call("DELETE", "/services/shop")).status).toBe(400);
    expect((await admin.call("GET", `${BASE}/d1`)).status).toBe(200);
    await admin.call("DELETE", "/routes/9");
    expect((await admin.call("DELETE", "/services/shop")).status).toBe(200);
    expect(await admin.keys("services")).toEqual([]);
  });

  it("that a service which is gone left behind do not come back with a new one of its name", async () => {
    await admin.store.delete("/apisix/services/shop");
    expect((await admin.call("PUT", "/services/shop", { body: { zzz: 1 } })).status).toBe(400);
    expect(await admin.keys("services")).toHaveLength(1);
    expect((await admin.call("PUT", "/services/shop", { body: {} })).status).toBe(201);
    expect((await admin.call("GET", BASE)).status).toBe(404);
  });
});
