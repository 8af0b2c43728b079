import { expect, it } from "vitest";
import { withoutPath } from "./json.ts";
import { AdminHarness } from "./testing/admin-harness.ts";

it("fields that a definition hides are in no read", async () => {
  await using admin = await AdminHarness.start();
  await admin.store.put("/apisix/ssls/1", '{"id":"1","cert":"public","key":"private","keys":["private"]}');
  const seen = { value: { id: "1", cert: "public" } };
  expect(await admin.call("GET", "/ssls/1")).toMatchObject({ status: 200, json: seen });
  const { text, json } = await admin.call("GET", "/ssls");
  expect(json).toMatchObject({ total: 1, list: [seen] });
  expect(text).not.toContain("private");
});

it.each([
  ["a.b", { a: { c: 2 }, d: 3 }],
  ["a", { d: 3 }],
  ["a.b.c", { a: { b: 1, c: 2 }, d: 3 }],
  ["x.y", { a: { b: 1, c: 2 }, d: 3 }],
])("hiding %s leaves %j", (path, rest) => {
  expect(withoutPath({ a: { b: 1, c: 2 }, d: 3 }, path.split("."))).toEqual(rest);
});
