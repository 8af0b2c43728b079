import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AdminHarness } from "./testing/admin-harness.ts";

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start();
  await admin.call("PUT", "/services/s", { body: {} });
  await admin.call("PUT", "/upstreams/1", { body: { nodes: {} } });
  // Created in an order that is not the order of the keys.
  await admin.call("PUT", "/routes/c", {
    body: { uri: "/orders", name: "orders-v1", plugins: {}, labels: { env: "prod" } },
  });
  await admin.call("PUT", "/routes/a", { body: { uris: ["/users", "/people"], name: "users", service_id: "s" } });
  await admin.call("PUT", "/routes/b", {
    body: { uri: "/plain", plugins: {}, service_id: "s", upstream_id: "1", labels: { env: "dev", "": "x" } },
  });
  await admin.store.put("/apisix/routes/d", '{"uri":"/old","upstream_id":1}');
});
afterAll(() => admin[Symbol.asyncDispose]());

async function idsOf(query: string): Promise<{ total: unknown; ids: string[] }> {
  const { status, json } = await admin.call("GET", `/routes${query}`);
  expect(status).toBe(200);
  const { total, list } = Object(json);
  return { total, ids: list.map(({ key }: { key: string }) => key.slice("/apisix/routes/".length)) };
}

describe("filters", () => {
  it.each([
    ["", ["a", "b", "c", "d"]],
    ["?name=orders", ["c"]],
    ["?name=ord.*v[0-9]$", ["c"]],
    ["?name=ORDERS", []],
    ["?name=", ["a", "b", "c", "d"]],
    ["?name=nil", ["b", "d"]],
    ["?name=(", []],
    ["?uri=/o", ["c", "d"]],
    ["?uri=^/people$", ["a"]],
    ["?label=env", ["b", "c"]],
    ["?label=prod", []],
    ["?label=", []],
    ["?label=constructor", []],
    ["?filter=service_id%3Ds", ["a", "b"]],
    ["?filter=service_id%3Ds%26upstream_id%3D1", ["b"]],
    ["?filter=upstream_id%3D1", ["b"]],
    ["?filter=service_id%3Dx%26service_id%3Ds", ["a", "b"]],
    ["?filter=service_id", []],
    ["?filter=priority%3D1", ["a", "b", "c", "d"]],
    ["?filter=__proto__%3D1", ["a", "b", "c", "d"]],
    ["?label=env&name=orders", ["c"]],
    ["?label=env&uri=users", []],
  ])("%s finds %j", async (query, ids) => {
    expect(await idsOf(query)).toEqual({ total: ids.length, ids });
  });
});

describe("paging", () => {
  it.each([
    ["?page=1&page_size=10", ["c", "a", "b", "d"]],
    ["?page=0&page_size=10", ["c", "a", "b", "d"]],
    ["?page=-3&page_size=1e1", ["c", "a", "b", "d"]],
    ["?page=2&page_size=10", []],
    ["?page=1", ["a", "b", "c", "d"]],
    ["?page_size=5", ["a", "b", "c", "d"]],
    ["?page=x&page_size=5", ["a", "b", "c", "d"]],
  ])("%s shows %j of four", async (query, ids) => {
    expect(await idsOf(query)).toEqual({ total: 4, ids });
  });

  it("counts before it cuts, and cuts in the order of creation", async () => {
    await using many = await AdminHarness.start();
    const names = Array.from({ length: 23 }, (_, index) => `n${(index * 7) % 23}`);
    for (const name of names) await many.call("PUT", `/services/${name}`, { body: { name } });
    const page = async (number: number) =>
      Object((await many.call("GET", `/services?page=${number}&page_size=10`)).json);
    const pages = [await page(1), await page(2), await page(3)];
    expect(pages.map(({ total, list }) => [total, list.length])).toEqual([
      [23, 10],
      [23, 10],
      [23, 3],
    ]);
    expect(pages.flatMap(({ list }) => list.map(({ value }: { value: { name: string } }) => value.name))).toEqual(
      names,
    );
  });

  it.each(["9", "501", "-1"])("a page size of %s is refused", async (size) => {
    const answer = await admin.call("GET", `/routes?page=1&page_size=${size}`);
    expect(answer).toMatchObject({ status: 400, text: "page_size must be between 10 and 500" });
  });
});

it("kinds that cannot belong to a service ignore ?filter=", async () => {
  const answer = await admin.call("GET", "/services?filter=upstream_id%3Dx");
  expect(answer).toMatchObject({ status: 200, json: { total: 1 } });
});

describe("directories", () => {
  it("objects below an object and foreign values are not listed", async () => {
    await using admin = await AdminHarness.start();
    await admin.store.put("/apisix/services/s/graphql_cost_decorations/1", "{}");
    await admin.store.put("/apisix/services/text", '"x"');
    await admin.store.put("/apisix/services/broken", "{");
    expect((await admin.call("GET", "/services")).json).toEqual({ total: 0, list: [] });
    expect((await admin.call("GET", "/services/broken")).status).toBe(404);
  });

  it("a directory without placeholder and objects is not found", async () => {
    await using admin = await AdminHarness.start();
    await admin.store.deletePrefix("/apisix/");
    expect(await admin.call("GET", "/routes")).toMatchObject({ status: 404, json: { message: "Key not found" } });
  });
});
