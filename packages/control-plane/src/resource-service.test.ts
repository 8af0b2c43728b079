import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ADMIN_KEY, AdminHarness } from "./testing/admin-harness.ts";

const ROUTE = { uri: "/hi", plugins: {} };

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start();
});
afterAll(() => admin[Symbol.asyncDispose]());

/** Decoded value of a stored object. */
async function storedValue(key: string): Promise<unknown> {
  const entry = await admin.store.get(key);
  return entry === undefined ? undefined : JSON.parse(entry.value);
}

describe("PATCH", () => {
  const NULL_NAME =
    'invalid configuration: property "name" validation failed: wrong type: expected string, got userdata';
  const stored = { uri: "/p", upstream: { nodes: { "127.0.0.1:80": 1 }, retries: 2 }, labels: {}, methods: ["GET"] };

  beforeEach(async () => {
    await admin.call("PUT", "/routes/p", { body: stored });
  });

  it.each<[string, unknown, object]>([
    ["/routes/p", { name: "n" }, { ...stored, name: "n" }],
    ["/routes/p", {}, stored],
    ["/routes/p", [], stored],
    ["/routes/p", { methods: ["PUT", "POST"] }, { ...stored, methods: ["PUT", "POST"] }],
    ["/routes/p", { upstream: { retries: 3 } }, { ...stored, upstream: { ...stored.upstream, retries: 3 } }],
    ["/routes/p", { upstream: { retries: null } }, { ...stored, upstream: { nodes: stored.upstream.nodes } }],
    ["/routes/p", { labels: { a: "b" } }, { ...stored, labels: { a: "b" } }],
    ["/routes/p", { create_time: 7 }, { ...stored, create_time: 7 }],
    ["/routes/p", { update_time: 8 }, { ...stored, update_time: 8 }],
    [
      "/routes/p/upstream/nodes",
      { "127.0.0.1:81": 1 },
      { ...stored, upstream: { nodes: { "127.0.0.1:81": 1 }, retries: 2 } },
    ],
    ["/routes/p/upstream%2Fretries", "5", { ...stored, upstream: { ...stored.upstream, retries: 5 } }],
    ["/routes/p//upstream//retries/", "5", { ...stored, upstream: { ...stored.upstream, retries: 5 } }],
    [
      "/routes/p/upstream/nodes/127.0.0.1:80",
      "9",
      { ...stored, upstream: { nodes: { "127.0.0.1:80": 9 }, retries: 2 } },
    ],
    ["/routes/p/labels/env", '"prod"', { ...stored, labels: { env: "prod" } }],
    ["/routes/p/create_time", "9", { ...stored, create_time: 9 }],
  ])("%s with %j stores the change", async (path, body, value) => {
    const { status, json } = await admin.call("PATCH", path, { body });
    expect(status).toBe(200);
    expect(json).toEqual({
      key: "/apisix/routes/p",
      value: { create_time: expect.any(Number), update_time: expect.any(Number), ...value, id: "p" },
    });
    expect(await storedValue("/apisix/routes/p")).toEqual(Object(json).value);
  });

  it.each<[string, unknown, string]>([
    ["/routes/p", undefined, "missing new configuration"],
    ["/routes/p", "12", "invalid configuration"],
    ["/routes/p", "null", "invalid configuration"],
    ["/routes/p", [1], "invalid configuration: additional properties forbidden, found 1"],
    ["/routes/p", { id: "q" }, "wrong route id"],
    ["/routes/p/id", '"q"', "wrong route id"],
    [
      "/routes/p",
      { uri: null },
      "invalid configuration: allOf 1 failed: value should match only one schema, but matches none",
    ],
    [
      "/routes/p",
      { update_time: "now" },
      'invalid configuration: property "update_time" validation failed: wrong type: expected integer, got string',
    ],
    ["/routes/p/name", "null", NULL_NAME],
    ["/routes/p/uri/b/c", '"x"', "invalid sub-path: /uri/b/c"],
    [
      "/routes/p/methods/0",
      '"PUT"',
      'invalid configuration: property "methods" validation failed: wrong type: expected array, got table',
    ],
    ["/routes/p/plugins/quota", "null", 'invalid plugin conf "userdata: NULL" for plugin [quota]'],
    ["/routes/p/__proto__/polluted", "true", "invalid configuration: additional properties forbidden, found __proto__"],
    ["/routes/p/upstream_id", '"nope"', "failed to fetch upstream info by upstream id [nope], response code: 404"],
    [`/routes/p${"/a".repeat(1001)}`, "1", `invalid sub-path: ${"/a".repeat(1001)}`],
  ])("%s with %j is refused and changes nothing", async (path, body, message) => {
    const before = await storedValue("/apisix/routes/p");
    const { status, json } = await admin.call("PATCH", path, { body });
    expect({ status, json }).toEqual({ status: 400, json: { error_msg: message } });
    expect(await storedValue("/apisix/routes/p")).toEqual(before);
  });

  it("fifty at once are all applied, or refused cleanly, and none is lost", async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        admin.call("PATCH", "/routes/p", { body: { labels: { [`l${index}`]: "x" } } }),
      ),
    );
    const applied = answers.flatMap(({ status }, index) => (status === 200 ? [`l${index}`] : []));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.map(({ status, json }) => ({ status, json }))).toEqual(
      refused.map(() => ({ status: 503, json: { error_msg: "value changed before overwritten" } })),
    );
    expect(applied.length).toBeGreaterThan(25);
    const labels: unknown = Object(await storedValue("/apisix/routes/p")).labels;
    expect(Object.keys(Object(labels)).sort()).toEqual(applied.sort());
  });
});

describe("secrets at rest", () => {
  const plugins = { quota: { limit: 1, token: "k1" } };
  const sealed = { quota: { limit: 1, token: "sGfoff/k5TVaPiyGca5e5w==" } };

  it("writes show and store the encrypted form, reads the clear one", async () => {
    const put = await admin.call("PUT", "/routes/secret", { body: { uri: "/", plugins } });
    expect(put).toMatchObject({ status: 201, json: { value: { plugins: sealed } } });
    expect(await storedValue("/apisix/routes/secret")).toMatchObject({ plugins: sealed });
    expect(await admin.call("GET", "/routes/secret")).toMatchObject({ json: { value: { plugins } } });
    const list = await admin.call("GET", "/routes");
    expect(Object(list.json).list).toContainEqual(
      expect.objectContaining({ value: expect.objectContaining({ plugins }) }),
    );
  });

  it("a PATCH does not encrypt twice", async () => {
    await admin.call("PUT", "/routes/secret", { body: { uri: "/", plugins } });
    const patched = await admin.call("PATCH", "/routes/secret", { body: { plugins: { quota: { limit: 2 } } } });
    expect(patched).toMatchObject({ json: { value: { plugins: { quota: { limit: 2, token: sealed.quota.token } } } } });
    expect(await admin.call("GET", "/routes/secret")).toMatchObject({
      json: { value: { plugins: { quota: { limit: 2, token: "k1" } } } },
    });
  });

  it("without a keyring the store keeps what was sent", async () => {
    await using clear = await AdminHarness.start({ keyring: undefined });
    expect(await clear.call("PUT", "/routes/1", { body: { uri: "/", plugins } })).toMatchObject({
      json: { value: { plugins } },
    });
    expect((await clear.store.get("/apisix/routes/1"))?.value).toContain('"k1"');
  });
});

describe("other kinds", () => {
  it("plugin configs go through the same verbs and are found by routes", async () => {
    expect(await admin.call("POST", "/plugin_configs", { body: { plugins: {} } })).toMatchObject({
      status: 405,
      json: { error_msg: "not supported `POST` method for plugin config" },
    });
    expect(await admin.call("DELETE", "/plugin_configs")).toMatchObject({
      status: 400,
      json: { error_msg: "missing plugin config id" },
    });
    expect(await admin.call("PUT", "/plugin_configs/c", { body: { plugins: { tag: {} } } })).toMatchObject({
      status: 201,
    });
    const route = { uri: "/", plugins: {}, plugin_config_id: "c" };
    expect((await admin.call("PUT", "/routes/with-config", { body: route })).status).toBe(201);
    expect(await admin.call("DELETE", "/plugin_configs/c")).toMatchObject({
      status: 400,
      json: { error_msg: "can not delete this plugin config, route [with-config] is still using it now" },
    });
  });
});

describe("time to live", () => {
  it.each(["PUT", "PATCH"])("an object of a %s with ttl disappears by itself", async (method) => {
    const { FakeClock, FakeConfigStore } = await import("@fngate/test-kit");
    const clock = new FakeClock();
    const store = new FakeConfigStore({ clock });
    await using timed = await AdminHarness.start({ store });
    if (method === "PATCH") await timed.call("PUT", "/routes/t", { body: ROUTE });
    expect(await timed.call(method, "/routes/t?ttl=5", { body: ROUTE })).toMatchObject({
      status: method === "PUT" ? 201 : 200,
    });
    await clock.advance(4_000);
    expect((await timed.call("GET", "/routes/t")).status).toBe(200);
    await clock.advance(1_000);
    expect((await timed.call("GET", "/routes/t")).status).toBe(404);
  });

  it.each([
    ["", "invalid argument ttl: should be a number"],
    ["1.5", "ttl must be integer"],
    ["1e99", "invalid argument ttl: too large"],
    ["0b1", "invalid argument ttl: should be a number"],
    ["Infinity", "invalid argument ttl: should be a number"],
  ])("?ttl=%s is refused", async (ttl, message) => {
    expect(await admin.call("PUT", `/routes/ttl?ttl=${ttl}`, { body: ROUTE })).toMatchObject({
      status: 400,
      json: { error_msg: message },
    });
  });

  it.each(["0", "-5", "1e1", "0x10", "%205"])("?ttl=%s is accepted", async (ttl) => {
    expect((await admin.call("PUT", `/services/ttl?ttl=${ttl}`, { body: {} })).status).toBeLessThan(300);
  });
});

describe("deleting", () => {
  it("looks for users in the store itself, numbers included, whoever wrote them", async () => {
    await admin.call("PUT", "/upstreams/42", { body: { nodes: {} } });
    await admin.store.put("/apisix/services/old", '{"upstream_id":42}');
    expect(await admin.call("DELETE", "/upstreams/42")).toMatchObject({
      status: 400,
      json: { error_msg: "can not delete this upstream, service [old] is still using it now" },
    });
    await admin.store.delete("/apisix/services/old");
    expect((await admin.call("DELETE", "/upstreams/42")).status).toBe(200);
  });

  it("a consumer group is in use by a consumer, whose credentials do not count as consumers", async () => {
    await admin.call("PUT", "/consumer_groups/g", { body: { plugins: {} } });
    await admin.store.put("/apisix/consumers/a/credentials/c", '{"group_id":"g"}');
    await admin.store.put("/apisix/consumers/jack", '{"username":"jack","group_id":"g"}');
    expect(await admin.call("DELETE", "/consumer_groups/g")).toMatchObject({
      status: 400,
      json: { error_msg: "can not delete this consumer group, consumer [jack] is still using it now" },
    });
    await admin.store.delete("/apisix/consumers/jack");
    expect((await admin.call("DELETE", "/consumer_groups/g")).status).toBe(200);
  });

  it("a reference that does not protect its object does not hinder", async () => {
    await admin.call("PUT", "/upstreams/weak", { body: { nodes: {} } });
    await admin.store.put("/apisix/stream_routes/1", '{"upstream_id":"weak"}');
    expect((await admin.call("DELETE", "/upstreams/weak")).status).toBe(200);
  });

  it("a user is reported even when the object itself is not there", async () => {
    await admin.store.put("/apisix/services/dangling", '{"upstream_id":"ghost"}');
    expect((await admin.call("DELETE", "/upstreams/ghost")).status).toBe(400);
    await admin.store.delete("/apisix/services/dangling");
    expect((await admin.call("DELETE", "/upstreams/ghost")).status).toBe(404);
  });
});

describe("the audit log", () => {
  it("has one line per write, with revisions, who and from where, and nothing secret", async () => {
    await using audited = await AdminHarness.start();
    const body = { uri: "/", plugins: { quota: { limit: 1, token: "very secret" } } };
    await audited.call("PUT", "/routes/a", { body });
    const first = await audited.store.get("/apisix/routes/a");
    await audited.call("PATCH", "/routes/a", { body: { name: "n" } });
    const second = await audited.store.get("/apisix/routes/a");
    await audited.call("DELETE", "/routes/a");
    await audited.call("DELETE", "/routes/a");
    await audited.call("PUT", "/routes/a", { body: {} });
    await audited.call("GET", "/routes");
    const lines = audited.logger.lines.filter(({ fields }) => fields["audit"] === true).map(({ fields }) => fields);
    const common = { audit: true, key: "/apisix/routes/a", adminKey: "admin", peer: "127.0.0.1" };
    expect(lines).toEqual([
      { ...common, method: "PUT", oldRevision: undefined, newRevision: first?.modRevision },
      { ...common, method: "PATCH", oldRevision: first?.modRevision, newRevision: second?.modRevision },
      { ...common, method: "DELETE", oldRevision: second?.modRevision, newRevision: audited.store.revision },
    ]);
    expect(JSON.stringify(audited.logger.lines)).not.toMatch(new RegExp(`very secret|${ADMIN_KEY}`));
  });
});

describe("a store that cannot be reached", () => {
  it.each([
    ["GET", "/routes"],
    ["GET", "/routes/1"],
    ["PUT", "/routes/1"],
    ["POST", "/routes"],
    ["PATCH", "/routes/1"],
    ["DELETE", "/routes/1"],
  ])("%s %s answers 503 with a reason", async (method, path) => {
    await using lonely = await AdminHarness.start();
    lonely.store.disconnect();
    const answer = await lonely.call(method, path, { body: ROUTE });
    expect(answer).toMatchObject({ status: 503, json: { error_msg: "the store is disconnected" } });
    expect(answer.headers).toHaveProperty("x-api-version", "v3");
  });
});
