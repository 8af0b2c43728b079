import { systemClock } from "@fngate/kernel";
import { registry } from "@fngate/schema";
import { FakeConfigStore } from "@fngate/test-kit";
import { expect, it } from "vitest";
import { BoundedStore } from "./bounded-store.ts";
import { withoutPath } from "./json.ts";
import { ResourceService } from "./resource-service.ts";
import { catalogOf } from "./testing/admin-harness.ts";

it("fields that a definition hides are in no read", async () => {
  const store = new FakeConfigStore();
  await store.put("/apisix/ssls/1", '{"id":"1","cert":"public","key":"private","keys":["private"]}');
  const service = new ResourceService(registry.byKind("ssl"), {
    store: new BoundedStore(store),
    prefix: "/apisix",
    kinds: registry,
    catalog: catalogOf(),
    keyring: undefined,
    clock: systemClock,
  });
  expect((await service.get("1")).value).toEqual({ id: "1", cert: "public" });
  expect((await service.list(new URLSearchParams())).items.map(({ value }) => value)).toEqual([
    { id: "1", cert: "public" },
  ]);
});

it.each([
  ["a.b", { a: { c: 2 }, d: 3 }],
  ["a", { d: 3 }],
  ["a.b.c", { a: { b: 1, c: 2 }, d: 3 }],
  ["x.y", { a: { b: 1, c: 2 }, d: 3 }],
])("hiding %s leaves %j", (path, rest) => {
  expect(withoutPath({ a: { b: 1, c: 2 }, d: 3 }, path.split("."))).toEqual(rest);
});
