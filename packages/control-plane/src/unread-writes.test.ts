import { registry } from "@fngate/schema";
import { FakeClock, FakeConfigStore } from "@fngate/test-kit";
import { expect, it } from "vitest";
import { BoundedStore } from "./bounded-store.ts";
import { ObjectWriter } from "./object-writer.ts";
import { secretsAtRest } from "./secrets-at-rest.ts";
import { StoreMirror } from "./store-mirror.ts";
import { AdminHarness, catalogOf, RecordingLogger } from "./testing/admin-harness.ts";
import { VersionMemory } from "./version-memory.ts";

const ROUTE = { uri: "/hi", plugins: {} };
const START_MS = 1_700_000_000_000;

/** A store that counts its reads of single keys. */
class CountingStore extends FakeConfigStore {
  gets = 0;
  override get(...args: Parameters<FakeConfigStore["get"]>): ReturnType<FakeConfigStore["get"]> {
    this.gets += 1;
    return super.get(...args);
  }
}

/** A control plane over a store whose clock stands still unless advanced. */
async function start() {
  const clock = new FakeClock(START_MS);
  const store = new CountingStore({ clock });
  return { clock, store, admin: await AdminHarness.start({ store, clock }) };
}

function stampsOf(json: unknown): unknown {
  const { create_time, update_time } = Object(json).value;
  return { create_time, update_time };
}

it("an object that this process wrote is replaced without being read, and keeps its creation time", async () => {
  const { clock, store, admin } = await start();
  await using _ = admin;
  expect((await admin.call("PUT", "/routes/1", { body: ROUTE })).status).toBe(201);
  expect(store.gets).toBe(1);
  await clock.advance(5_000);
  const { status, json } = await admin.call("PUT", "/routes/1", { body: ROUTE });
  expect(store.gets).toBe(1);
  expect(status).toBe(200);
  expect(stampsOf(json)).toEqual({ create_time: START_MS / 1_000, update_time: START_MS / 1_000 + 5 });
});

it("what another writer did meanwhile is read first, and its creation time kept", async () => {
  const { store, admin } = await start();
  await using _ = admin;
  await admin.call("PUT", "/routes/1", { body: ROUTE });
  await store.put("/apisix/routes/1", JSON.stringify({ ...ROUTE, id: "1", create_time: 7 }));
  const { status, json } = await admin.call("PUT", "/routes/1", { body: ROUTE });
  expect({ status, ...Object(stampsOf(json)) }).toMatchObject({ status: 200, create_time: 7 });
});

it("an object that another writer deleted, or that expired, is new again", async () => {
  const { clock, store, admin } = await start();
  await using _ = admin;
  await admin.call("PUT", "/routes/1", { body: ROUTE });
  await store.delete("/apisix/routes/1");
  expect((await admin.call("PUT", "/routes/1?ttl=5", { body: ROUTE })).status).toBe(201);
  await clock.advance(6_000);
  const { status, json } = await admin.call("PUT", "/routes/1", { body: ROUTE });
  expect(status).toBe(201);
  expect(stampsOf(json)).toMatchObject({ create_time: START_MS / 1_000 + 6 });
});

it("an object that was deleted here is read again", async () => {
  const { store, admin } = await start();
  await using _ = admin;
  await admin.call("PUT", "/routes/1", { body: ROUTE });
  await admin.call("DELETE", "/routes/1?force=true");
  const { gets } = store;
  expect((await admin.call("PUT", "/routes/1", { body: ROUTE })).status).toBe(201);
  expect(store.gets).toBe(gets + 1);
});

it("once there was a list, objects of other writers and new ones are written without being read too", async () => {
  const { store, admin } = await start();
  await using _ = admin;
  await store.put("/apisix/routes/old", JSON.stringify({ ...ROUTE, id: "old", create_time: 7 }));
  await admin.call("GET", "/routes");
  const { status, json } = await admin.call("PUT", "/routes/old", { body: ROUTE });
  expect({ status, ...Object(stampsOf(json)) }).toMatchObject({ status: 200, create_time: 7 });
  expect((await admin.call("PUT", "/routes/new", { body: ROUTE })).status).toBe(201);
  expect(store.gets).toBe(0);
});

it("thirty replacements of one object at once all succeed", async () => {
  const { admin } = await start();
  await using _ = admin;
  await admin.call("PUT", "/routes/1", { body: ROUTE });
  const answers = await Promise.all(Array.from({ length: 30 }, () => admin.call("PUT", "/routes/1", { body: ROUTE })));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});

it("a precondition is held against the store, whatever is remembered", async () => {
  const { store, admin } = await start();
  await using _ = admin;
  const first = await admin.call("PUT", "/routes/1", { body: ROUTE });
  await store.put("/apisix/routes/1", JSON.stringify({ ...ROUTE, id: "1" }));
  const headers = { "If-Match": String(first.headers.etag) };
  expect((await admin.call("PUT", "/routes/1", { body: ROUTE, headers })).status).toBe(412);
});

it("as many objects are remembered as there is room for, the latest written first", async () => {
  await using store = new FakeConfigStore();
  const scope = { store: new BoundedStore(store), prefix: "/apisix", logger: new RecordingLogger() };
  const memory = new VersionMemory(new StoreMirror({ ...scope, clock: new FakeClock() }), 2);
  for (const key of ["a", "b", "a", "c"]) memory.remember(key, { modRevision: store.revision, createTime: 1 });
  const recalled = ["a", "b", "c"].map((key) => memory.recall(registry.byKind("route"), key) !== undefined);
  expect(recalled).toEqual([true, false, true]);
});

it("an object without creation time takes no room from those with one", async () => {
  await using fake = new FakeConfigStore();
  const clock = new FakeClock();
  const store = new BoundedStore(fake);
  const mirror = new StoreMirror({ store, prefix: "/apisix", logger: new RecordingLogger(), clock });
  const versions = new VersionMemory(mirror, 1);
  const write = (kind: "route" | "plugin_metadata", key: string) => {
    const definition = registry.byKind(kind);
    const secrets = secretsAtRest(definition, catalogOf(), undefined);
    return new ObjectWriter(definition, { store, versions, secrets, clock }).create({
      key,
      value: {},
      ttlSeconds: undefined,
    });
  };
  await write("route", "/apisix/routes/1");
  await write("plugin_metadata", "/apisix/plugin_metadata/cors");
  expect(versions.recall(registry.byKind("route"), "/apisix/routes/1")).toBeDefined();
});
