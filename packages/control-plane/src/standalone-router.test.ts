import { createDocumentStore, type DocumentStore } from "@fngate/store/document";
import { FakeClock } from "@fngate/test-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { AdminHarness, catalogOf, VIEWER_KEY } from "./testing/admin-harness.ts";
import { keyAuth } from "./testing/plugins.ts";

let admin: AdminHarness;
let store: DocumentStore;
const clock = new FakeClock();
const SECONDS = String(clock.now() / 1_000);

beforeEach(async () => {
  store = createDocumentStore();
  admin = await AdminHarness.start({ store, document: store, clock, catalog: catalogOf(keyAuth) });
});
afterEach(() => admin[Symbol.asyncDispose]());

let puts = 0;

/** Puts a document under a digest of its own, unless it is given one. */
function put(body: unknown, headers: Readonly<Record<string, string>> = {}) {
  puts += 1;
  return admin.call("PUT", "/configs", { body, headers: { "X-Digest": `d${puts}`, ...headers } });
}

const get = (headers = {}) => admin.call("GET", "/configs", { headers });
const versions = async () => (await get()).json as Record<string, number>;
const stored = async () => {
  const { entries } = await store.list("/apisix/");
  return Object.fromEntries(entries.map(({ key, value }) => [key, JSON.parse(value)]));
};
const route = (more: object = {}) => ({ id: "r1", uri: "/r1", plugins: {}, ...more });

describe("before the first document", () => {
  it("has every section at version 0, in JSON and in YAML, and no metadata", async () => {
    const { status, headers, json } = await get();
    expect([status, headers["content-type"]]).toEqual([200, "application/json"]);
    expect(Object.keys(Object(json))).toHaveLength(13);
    expect(new Set(Object.values(Object(json)))).toEqual(new Set([0]));
    expect(headers).not.toHaveProperty("x-digest");
    const yaml = await get({ Accept: "application/yaml" });
    expect(yaml.headers["content-type"]).toBe("application/yaml");
    expect(parse(yaml.text)).toEqual(json);
    const head = await admin.call("HEAD", "/configs");
    expect([head.status, head.headers["x-digest"], head.text]).toEqual([200, undefined, ""]);
  });
});

describe("a document", () => {
  it("is accepted, published and read back with its digest and time", async () => {
    const answer = await put({ routes: [route()] }, { "X-Digest": "1" });
    expect([answer.status, answer.text]).toEqual([202, ""]);
    const metadata = { "x-digest": "1", "x-last-modified": SECONDS };
    expect(answer.headers).toMatchObject(metadata);
    expect((await admin.call("HEAD", "/configs")).headers).toMatchObject(metadata);
    const read = await get();
    expect(read.headers).toMatchObject(metadata);
    expect(read.json).toMatchObject({
      routes: [route()],
      routes_conf_version: 1,
      services_conf_version: 1,
      "X-Digest": "1",
      "X-Last-Modified": Number(SECONDS),
    });
    expect(await stored()).toEqual({ "/apisix/routes/r1": route() });
  });

  it("is taken in YAML and shown in YAML, without document marks", async () => {
    const body = stringify({ routes: [route()] });
    expect((await put(body, { "Content-Type": "application/yaml" })).status).toBe(202);
    const { text } = await get({ Accept: "application/yaml" });
    expect(text).toContain("id: r1");
    expect([text.startsWith("---"), text.trimEnd().endsWith("...")]).toEqual([false, false]);
  });

  it("changes nothing under the digest of the one before", async () => {
    await put({ routes: [route()] }, { "X-Digest": "1" });
    const again = await put({ routes: [] }, { "X-Digest": "1" });
    expect([again.status, again.text]).toEqual([204, ""]);
    expect(Object.keys(await stored())).toEqual(["/apisix/routes/r1"]);
  });

  it("empties the sections that it leaves out", async () => {
    await put({ routes: [route()], upstreams: [{ id: "u", type: "roundrobin", nodes: {} }] });
    await put({ routes: [route()] });
    expect(Object.keys(await stored())).toEqual(["/apisix/routes/r1"]);
    expect(await versions()).toMatchObject({ routes_conf_version: 2, upstreams_conf_version: 2 });
  });

  it("keeps a section whose version stays the same, whatever it says", async () => {
    await put({ routes_conf_version: 15, routes: [route()] });
    await put({ routes_conf_version: 15, routes: [route({ uri: "/other" })], services_conf_version: 1 });
    expect(await stored()).toEqual({ "/apisix/routes/r1": route() });
    expect(await versions()).toMatchObject({ routes_conf_version: 15, services_conf_version: 1 });
    await put({ routes_conf_version: 16, routes: [route({ uri: "/other" })] });
    expect(await stored()).toEqual({ "/apisix/routes/r1": route({ uri: "/other" }) });
  });

  it("keeps an object whose modifiedIndex stays the same, and shows what was sent", async () => {
    await put({ routes: [route({ modifiedIndex: 1 })] });
    const sent = route({ modifiedIndex: 1, uri: "/r2" });
    await put({ routes: [sent] });
    expect(await stored()).toEqual({ "/apisix/routes/r1": route() });
    expect((await get()).json).toMatchObject({ routes: [sent] });
    await put({ routes: [{ ...sent, modifiedIndex: 2 }] });
    expect(await stored()).toEqual({ "/apisix/routes/r1": route({ uri: "/r2" }) });
  });

  it("holds credentials below their consumers and objects without ids", async () => {
    const plugins = { "key-auth": { key: "k" } };
    await put({
      consumers: [{ username: "jack" }, { id: "jack/credentials/c1", plugins }],
      routes: [{ uri: "/", plugins: {} }],
    });
    expect(await stored()).toEqual({
      "/apisix/consumers/jack": { username: "jack" },
      "/apisix/consumers/jack/credentials/c1": { id: "c1", plugins },
      "/apisix/routes/arr_1": { id: "arr_1", uri: "/", plugins: {} },
    });
  });

  it("is written to the audit log without its contents", async () => {
    await put({ consumers: [{ username: "j", plugins: { "key-auth": { key: "secret-of-j" } } }] }, { "X-Digest": "d" });
    const lines = admin.logger.lines.filter(({ fields }) => fields["audit"] === true);
    expect(lines).toMatchObject([{ fields: { method: "PUT", key: "configs", adminKey: "admin", digest: "d" } }]);
    expect(JSON.stringify(admin.logger.lines)).not.toContain("secret-of-j");
  });
});

describe("a document that is refused", () => {
  it.each([
    [{ routes_conf_version: "adc" }, "routes_conf_version must be a number"],
    [{ plugins_conf_version: [] }, "plugins_conf_version must be a number"],
    [{ routes_conf_version: -1 }, "routes_conf_version must be greater than or equal to (1)"],
    [{ routes: [route(), route()] }, "found duplicate id r1 in routes"],
    [{ consumers: [{ username: "c" }, { username: "c" }] }, "found duplicate username c in consumers"],
    [
      { routes: [route({ uri: 123 })] },
      'invalid configuration: property "uri" validation failed: wrong type: expected string, got number',
    ],
    [
      { routes: [route({ modifiedIndex: "1" })] },
      'invalid configuration: property "modifiedIndex" validation failed: wrong type: expected integer, got string',
    ],
    [{ services: [{ id: "s1", plugins: { "invalid-plugin": {} } }] }, "unknown plugin [invalid-plugin]"],
    ["", "invalid request body: empty request body"],
    ["{abcd", "invalid request body: Expected object key string but found invalid token at character 2"],
  ])("%j says %j and changes nothing", async (body, error_msg) => {
    await put({ routes: [route()] }, { "X-Digest": "good" });
    const { status, json } = await put(body);
    expect({ status, json }).toEqual({ status: 400, json: { error_msg } });
    expect((await get()).headers["x-digest"]).toBe("good");
    expect(await stored()).toEqual({ "/apisix/routes/r1": route() });
  });

  it("has two consumers with one key", async () => {
    const consumer = (username: string) => ({ username, plugins: { "key-auth": { key: "same" } } });
    expect((await put({ consumers: [consumer("a"), consumer("b")] })).status).toBe(400);
    // The key may move from one to another between documents.
    expect((await put({ consumers: [consumer("a")] })).status).toBe(202);
    expect((await put({ consumers: [consumer("b")] })).status).toBe(202);
  });

  it("has no digest, which is looked at before its body", async () => {
    const { status, json } = await admin.call("PUT", "/configs", { body: "{" });
    expect({ status, json }).toEqual({ status: 400, json: { error_msg: "missing digest header" } });
  });
});

describe("the rest of the Admin API", () => {
  it("validates documents, versions of their items included", async () => {
    const validate = (body: unknown) => admin.call("POST", "/configs/validate", { body });
    expect((await validate({ routes: [route({ modifiedIndex: 1 })] })).status).toBe(200);
    expect((await validate({ routes: [route({ uri: 1 })] })).json).toMatchObject({ errors: [{ index: 0 }] });
  });

  it("is not there for single objects", async () => {
    for (const [method, path] of [
      ["GET", "/routes"],
      ["PUT", "/routes/1"],
      ["POST", "/configs"],
    ] as const) {
      expect(await admin.call(method, path, { body: {} })).toMatchObject({ status: 404 });
    }
  });

  it("asks for the key everywhere but at its root, and lets viewers only read", async () => {
    expect((await admin.call("HEAD", "", { isAnonymous: true })).status).toBe(200);
    expect((await admin.call("GET", "/configs", { isAnonymous: true })).status).toBe(401);
    expect(
      (await admin.call("GET", "/configs", { isAnonymous: true, headers: { "X-API-KEY": VIEWER_KEY } })).status,
    ).toBe(200);
    const headers = { "X-API-KEY": VIEWER_KEY, "X-Digest": "v" };
    expect((await admin.call("PUT", "/configs", { isAnonymous: true, body: {}, headers })).status).toBe(401);
  });
});
