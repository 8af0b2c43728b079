import { systemClock } from "@fngate/kernel";
import { type ConfigStore, compareRevisions, parseRevision } from "@fngate/store";
import { openEmbeddedStore } from "@fngate/store/embedded";
import { FakeConfigStore, tempDirectory } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { BoundedStore } from "./bounded-store.ts";
import { AdminHarness } from "./testing/admin-harness.ts";

/** A store that never answers a read unless the call is given up. */
class SilentStore extends FakeConfigStore {
  override async get(...args: Parameters<ConfigStore["get"]>): ReturnType<ConfigStore["get"]> {
    await systemClock.sleep(2 ** 30, args[1]?.signal).catch(() => {});
    return super.get(...args);
  }
}

class BrokenStore extends FakeConfigStore {
  override get(): never {
    throw new TypeError("a defect with details");
  }
}

describe("over the embedded store", () => {
  it("objects survive a restart, and fifty racing PATCHes lose nothing", async () => {
    await using directory = await tempDirectory();
    const open = () => openEmbeddedStore({ path: directory.file("config.db") });
    let store = await open();
    {
      await using admin = await AdminHarness.start({ store });
      expect((await admin.call("PUT", "/services/s", { body: { labels: { first: "x" } } })).status).toBe(201);
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          admin.call("PATCH", "/services/s", { body: { labels: { [`l${index}`]: "x" } } }),
        ),
      );
      const applied = answers.filter(({ status }) => status === 200).length;
      expect(answers.every(({ status }) => status === 200 || status === 503)).toBe(true);
      const { json } = await admin.call("GET", "/services/s");
      expect(Object.keys(Object(json).value.labels)).toHaveLength(applied + 1);
    }
    await store.close();
    store = await open();
    await using admin = await AdminHarness.start({ store });
    expect(await admin.call("GET", "/services/s")).toMatchObject({ status: 200, json: { value: { id: "s" } } });
    expect(await admin.call("PUT", "/services/s", { body: {} })).toMatchObject({ status: 200 });
    await store.close();
  });
});

describe("a store with faults", () => {
  it("one that does not answer becomes a 503 within the deadline", async () => {
    const store = new BoundedStore(new SilentStore(), 20);
    await expect(store.get("/apisix/routes/1")).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: "the store did not answer within 20 ms",
    });
  });

  it("a defect is answered with a bare 500 and logged", async () => {
    await using admin = await AdminHarness.start({ store: new BrokenStore() });
    expect(await admin.call("GET", "/routes/1")).toMatchObject({
      status: 500,
      json: { error_msg: "internal server error" },
    });
    expect(admin.logger.lines).toContainEqual({
      level: "error",
      fields: { error: "a defect with details", method: "GET" },
      message: "admin request failed",
    });
  });

  it("revisions become numbers on the wire whatever their size", async () => {
    await using admin = await AdminHarness.start();
    await admin.call("PUT", "/services/s", { body: {} });
    const { json } = await admin.call("GET", "/services/s");
    expect(compareRevisions(parseRevision(Object(json).modifiedIndex), admin.store.revision)).toBe(0);
  });
});
