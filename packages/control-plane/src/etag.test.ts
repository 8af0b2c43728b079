import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AdminHarness } from "./testing/admin-harness.ts";

const ROUTE = { uri: "/", plugins: {} };

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start();
});
afterAll(() => admin[Symbol.asyncDispose]());
beforeEach(async () => {
  await admin.store.deletePrefix("/apisix/routes/1");
});

async function tagOfNew(): Promise<string> {
  const { headers } = await admin.call("PUT", "/routes/1", { body: ROUTE });
  return headers.etag ?? "";
}

const BODIES = { PUT: { ...ROUTE, name: "new" }, PATCH: { name: "new" }, DELETE: undefined } as const;
const WRITES = ["PUT", "PATCH", "DELETE"] as const;

function write(method: keyof typeof BODIES, ifMatch: string) {
  return admin.call(method, "/routes/1", { body: BODIES[method], headers: { "If-Match": ifMatch } });
}

it("every write gives the tag that the next read shows, and no two versions share one", async () => {
  const first = await tagOfNew();
  expect(first).toMatch(/^"\d+"$/);
  expect((await admin.call("GET", "/routes/1")).headers.etag).toBe(first);
  const patched = await admin.call("PATCH", "/routes/1", { body: { name: "n" } });
  expect(patched.headers.etag).not.toBe(first);
  expect((await admin.call("GET", "/routes/1")).headers.etag).toBe(patched.headers.etag);
  const posted = await admin.call("POST", "/routes", { body: ROUTE });
  const { key } = Object(posted.json);
  expect((await admin.call("GET", key.replace("/apisix", ""))).headers.etag).toBe(posted.headers.etag);
});

describe.each(WRITES)("If-Match on %s", (method) => {
  it("lets the version that the client read pass", async () => {
    expect((await write(method, await tagOfNew())).status).toBe(200);
  });

  it("takes a list of tags and an asterisk", async () => {
    expect((await write(method, `"7", ${await tagOfNew()}`)).status).toBe(200);
    await tagOfNew();
    expect((await write(method, "*")).status).toBe(200);
  });

  it("refuses an older version and changes nothing", async () => {
    const old = await tagOfNew();
    const current = await tagOfNew();
    for (const ifMatch of [old, `W/${current}`, "nonsense", ""]) {
      expect(await write(method, ifMatch)).toMatchObject({
        status: 412,
        json: { error_msg: "the object has changed since it was read" },
      });
    }
    expect((await admin.call("GET", "/routes/1")).headers.etag).toBe(current);
  });

  it("refuses to work on nothing", async () => {
    expect((await write(method, "*")).status).toBe(method === "PATCH" ? 404 : 412);
    expect(await admin.store.get("/apisix/routes/1")).toBeUndefined();
  });

  it("lets one of several rivals win", async () => {
    const tag = await tagOfNew();
    const answers = await Promise.all(Array.from({ length: 8 }, () => write(method, tag)));
    expect(answers.map(({ status }) => status).toSorted((left, right) => left - right)).toEqual([
      200,
      ...Array.from({ length: 7 }, () => expect.toSatisfy((status: number) => status === 412 || status === 404)),
    ]);
  });
});

describe("If-None-Match on PUT", () => {
  const create = (ifNoneMatch: string) =>
    admin.call("PUT", "/routes/1", { body: ROUTE, headers: { "If-None-Match": ifNoneMatch } });

  it("with an asterisk creates, and never replaces", async () => {
    expect((await create("*")).status).toBe(201);
    expect((await create("*")).status).toBe(412);
  });

  it("with tags replaces other versions only", async () => {
    const tag = await tagOfNew();
    expect((await create(tag)).status).toBe(412);
    expect((await create('"0"')).status).toBe(200);
  });

  it("lets one of several rivals create", async () => {
    const statuses = (await Promise.all(Array.from({ length: 8 }, () => create("*")))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(7);
  });
});
