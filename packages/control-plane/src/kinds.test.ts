import { createKeyring, DEFAULT_KEYRING } from "@fngate/schema";
import { createCertificates } from "@fngate/test-kit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AdminHarness, catalogOf } from "./testing/admin-harness.ts";
import { clickLogger, keyAuth, trafficSplit } from "./testing/plugins.ts";

let admin: AdminHarness;
beforeAll(async () => {
  const catalog = catalogOf(keyAuth, trafficSplit, clickLogger);
  admin = await AdminHarness.start({ catalog, isStreamEnabled: true });
});
afterAll(() => admin[Symbol.asyncDispose]());

const DIRECTORIES = ["routes", "services", "upstreams", "consumers", "consumer_groups", "plugin_configs"];
const MORE = ["ssls", "global_rules", "plugin_metadata", "protos", "stream_routes", "secrets"];
beforeEach(async () => {
  for (const directory of [...DIRECTORIES, ...MORE]) {
    for (const key of await admin.keys(directory)) await admin.store.delete(key);
  }
});

const put = (path: string, body?: unknown) => admin.call("PUT", path, { body });
const withKey = (key: string) => ({ plugins: { "key-auth": { key } } });

async function stored(key: string): Promise<Record<string, unknown>> {
  return JSON.parse((await admin.store.get(key))?.value ?? "null");
}

describe("consumers", () => {
  it("are stored under their name, with the key encrypted, and read in clear without an id", async () => {
    const body = { username: "jack", ...withKey("k1") };
    const { status, json } = await put("/consumers", body);
    expect(status).toBe(201);
    const times = { create_time: expect.any(Number), update_time: expect.any(Number) };
    const sealed = { username: "jack", plugins: { "key-auth": { key: "sGfoff/k5TVaPiyGca5e5w==" } }, ...times };
    expect(json).toEqual({ key: "/apisix/consumers/jack", value: sealed });
    expect(await stored("/apisix/consumers/jack")).toEqual(sealed);
    expect(await admin.call("GET", "/consumers/jack")).toMatchObject({ status: 200, json: { value: body } });
    expect((await stored("/apisix/consumers/jack"))["id"]).toBeUndefined();
    expect((await put("/consumers/jack", { ...body, id: "kept" })).status).toBe(200);
    expect(await stored("/apisix/consumers/jack")).toMatchObject({ id: "kept" });
  });

  it("take their credentials with them, and nobody else's", async () => {
    for (const name of ["jack", "jack2"]) {
      await put("/consumers", { username: name });
      await put(`/consumers/${name}/credentials/c1`, withKey(name));
    }
    expect((await admin.call("DELETE", "/consumers/jack")).json).toEqual({
      deleted: "1",
      key: "/apisix/consumers/jack",
    });
    expect(await admin.keys("consumers")).toEqual([
      "/apisix/consumers/jack2",
      "/apisix/consumers/jack2/credentials/c1",
    ]);
  });

  it("keep their credentials when a conditional delete is refused", async () => {
    await put("/consumers", { username: "jack" });
    await put("/consumers/jack/credentials/c1", withKey("k"));
    const remove = (tag: string) => admin.call("DELETE", "/consumers/jack", { headers: { "If-Match": tag } });
    expect((await remove('"1"')).status).toBe(412);
    expect(await admin.keys("consumers")).toHaveLength(2);
    expect((await remove("*")).status).toBe(200);
    expect(await admin.keys("consumers")).toEqual([]);
  });

  it("may keep their key, share it with their own credentials and use references that others use", async () => {
    await put("/consumers", { username: "jack", ...withKey("old") });
    expect((await put("/consumers", { username: "jack", ...withKey("old") })).status).toBe(200);
    await put("/consumers/jack/credentials/c1", withKey("own"));
    expect((await put("/consumers/jack/credentials/c1", withKey("own"))).status).toBe(200);
    expect((await put("/consumers", { username: "jack", ...withKey("own") })).status).toBe(200);
    expect((await put("/consumers", { username: "a", ...withKey("$env://KEY") })).status).toBe(201);
    expect((await put("/consumers", { username: "b", ...withKey("$env://KEY") })).status).toBe(201);
  });
});

describe("credentials", () => {
  it("live below their consumer and are not listed with consumers", async () => {
    await put("/consumers", { username: "jack" });
    expect(await admin.call("GET", "/consumers/jack/credentials")).toMatchObject({
      status: 404,
      json: { message: "Key not found" },
    });
    const { status, json } = await put("/consumers/jack/credentials/c1", { desc: "d", ...withKey("k1") });
    expect(status).toBe(201);
    expect(json).toMatchObject({
      key: "/apisix/consumers/jack/credentials/c1",
      value: { id: "c1", desc: "d", plugins: { "key-auth": { key: "sGfoff/k5TVaPiyGca5e5w==" } } },
    });
    const seen = { key: "/apisix/consumers/jack/credentials/c1", value: { id: "c1", ...withKey("k1") } };
    expect((await admin.call("GET", "/consumers/jack/credentials/c1")).json).toMatchObject(seen);
    expect((await admin.call("GET", "/consumers/jack/credentials")).json).toMatchObject({ total: 1, list: [seen] });
    expect((await admin.call("GET", "/consumers/jack/credentials?page=1&page_size=10")).json).toMatchObject({
      total: 1,
      list: [seen],
    });
    expect((await admin.call("GET", "/consumers")).json).toMatchObject({
      total: 1,
      list: [{ value: { username: "jack" } }],
    });
    expect((await admin.call("GET", "/consumers/jack/credential")).json).toMatchObject({ value: { username: "jack" } });
    expect((await admin.call("DELETE", "/consumers/jack/credentials/c1")).status).toBe(200);
    expect((await admin.call("DELETE", "/consumers/jack/credentials/c1")).status).toBe(404);
  });
});

describe("certificates", () => {
  it("have their private keys encrypted at rest and hidden from readers", async () => {
    const { cert, key } = (await createCertificates()).server;
    const { status, json, text } = await put("/ssls/1", { sni: "a.com", cert, key, certs: [cert], keys: [key] });
    expect(status).toBe(201);
    expect(text).not.toContain("PRIVATE KEY");
    const sealed = Object(json).value;
    expect(sealed.key).toMatch(/^[A-Za-z0-9+/]+=*$/);
    for (const path of ["/ssls/1", "/ssls"]) {
      const answer = await admin.call("GET", path);
      expect(answer.json).toMatchObject(path === "/ssls" ? { list: [{ value: { cert } }] } : { value: { cert } });
      expect(answer.text).not.toContain("PRIVATE KEY");
      expect(answer.text).not.toContain('"keys"');
      expect(answer.text).not.toContain(sealed.key);
    }
    expect((await admin.call("PATCH", "/ssls/1", { body: { status: 0 } })).status).toBe(200);
    expect(await stored("/apisix/ssls/1")).toMatchObject({ status: 0, key: sealed.key, keys: [sealed.key] });
    expect((await admin.call("PATCH", "/ssls/1/key", { body: JSON.stringify(key) })).status).toBe(200);
    expect(await stored("/apisix/ssls/1")).toMatchObject({ key: sealed.key });
  });

  it("are refused with a private key that the keyring does not open, wherever one is stored", async () => {
    const { cert, key } = (await createCertificates()).server;
    const foreign = createKeyring(["0123456789abcdef"]).encrypt(key);
    const refusal = { status: 400, json: { error_msg: "failed to decrypt previous encrypted key" } };
    const upstream = (client_key: string) => ({ nodes: {}, tls: { client_cert: cert, client_key } });
    expect(await put("/ssls/2", { sni: "a.com", cert, key: foreign })).toMatchObject(refusal);
    expect(await put("/ssls/2", { sni: "a.com", cert, key, certs: [cert, cert], keys: [key, foreign] })).toMatchObject({
      status: 400,
      json: { error_msg: "failed to handle cert-key pair[2]: failed to decrypt previous encrypted key" },
    });
    expect(await put("/upstreams/2", upstream("AAA".repeat(128)))).toMatchObject(refusal);
    expect(await put("/routes/2", { uri: "/", upstream: upstream(foreign) })).toMatchObject(refusal);
    expect(await put("/ssls/2", { sni: "a.com", cert, key: "$env://KEY" })).toMatchObject({ status: 201 });
    expect(await put("/upstreams/2", upstream(createKeyring(DEFAULT_KEYRING).encrypt(key)))).toMatchObject({
      status: 201,
    });
  });
});

describe("plugin metadata", () => {
  it("is named by its plugin, has no timestamps, and keeps secrets encrypted", async () => {
    const { status, json } = await put("/plugin_metadata/click-logger", { id: "x", ikey: "i", password: "k1" });
    const sealed = { id: "click-logger", ikey: "i", password: "sGfoff/k5TVaPiyGca5e5w==" };
    expect({ status, json }).toEqual({
      status: 201,
      json: { key: "/apisix/plugin_metadata/click-logger", value: sealed },
    });
    const seen = { ...sealed, password: "k1" };
    expect((await admin.call("GET", "/plugin_metadata/click-logger")).json).toMatchObject({ value: seen });
    expect((await admin.call("GET", "/plugin_metadata")).json).toMatchObject({ list: [{ value: seen }] });
  });

  it("may be anything for a plugin without a schema for it, and for one of APISIX's that is not here", async () => {
    expect((await put("/plugin_metadata/tcp-logger", { log_format: { host: "$host" } })).status).toBe(201);
    expect((await put("/plugin_metadata/key-auth", { any: { thing: [1] } })).status).toBe(201);
  });
});

describe("secrets", () => {
  const vault = { uri: "http://127.0.0.1:8200", prefix: "kv", token: "t" };

  it("are named by manager and id, and listed as a whole and by manager", async () => {
    expect((await put("/secrets/vault/1", vault)).json).toMatchObject({
      key: "/apisix/secrets/vault/1",
      value: { id: "vault/1", token: "t", create_time: expect.any(Number) },
    });
    await put("/secrets/aws/1", { id: "aws/1", access_key_id: "a", secret_access_key: "s" });
    expect((await admin.call("GET", "/secrets/vault/1")).json).toMatchObject({ value: { id: "vault/1" } });
    expect((await admin.call("GET", "/secrets")).json).toMatchObject({ total: 2 });
    expect((await admin.call("GET", "/secrets/vault")).json).toMatchObject({ total: 1, list: [{ value: vault }] });
    expect((await admin.call("GET", "/secrets/gcp")).status).toBe(404);
  });

  it("are patched by merge and by attribute", async () => {
    await put("/secrets/vault/1", vault);
    expect((await admin.call("PATCH", "/secrets/vault/1", { body: { token: "u" } })).status).toBe(200);
    expect((await admin.call("PATCH", "/secrets/vault/1/prefix", { body: '"q"' })).status).toBe(200);
    expect(await stored("/apisix/secrets/vault/1")).toMatchObject({ id: "vault/1", token: "u", prefix: "q" });
    expect((await admin.call("DELETE", "/secrets/vault/1")).status).toBe(200);
  });
});

describe("stream routes", () => {
  it("are served where there are stream listeners", async () => {
    expect((await put("/stream_routes/1", {})).status).toBe(201);
    expect((await admin.call("POST", "/stream_routes", { body: { plugins: { "click-logger": {} } } })).status).toBe(
      201,
    );
    await using plain = await AdminHarness.start();
    for (const method of ["GET", "PUT", "DELETE"]) {
      expect(await plain.call(method, "/stream_routes/1", { body: {} })).toMatchObject({
        status: 400,
        json: { error_msg: "stream mode is disabled, can not add stream routes" },
      });
    }
  });

  it("do not protect the upstream they name", async () => {
    await put("/upstreams/u", { nodes: {} });
    await put("/stream_routes/1", { upstream_id: "u" });
    expect((await admin.call("DELETE", "/upstreams/u")).status).toBe(200);
  });
});

it("what belongs to a service in a foreign store goes with it", async () => {
  await put("/services/s", {});
  await admin.store.put("/apisix/services/s/graphql_cost_decorations/1", "{}");
  expect((await admin.call("DELETE", "/services/s")).status).toBe(200);
  expect(await admin.store.get("/apisix/services/s/graphql_cost_decorations/1")).toBeUndefined();
});

it.each(["consumers", "secrets/vault", "global_rules", "ssls"])("ttl is read for %s as well", async (path) => {
  expect(await admin.call("PUT", `/${path}/x?ttl=x`, { body: {} })).toMatchObject({
    status: 400,
    json: { error_msg: "invalid argument ttl: should be a number" },
  });
});
