import { createCertificates } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AdminHarness, catalogOf } from "./testing/admin-harness.ts";
import { clickLogger, keyAuth } from "./testing/plugins.ts";

/** What the form for upstreams sends beside what was typed in. */
const UPSTREAM_FORM = {
  scheme: "http",
  type: "roundrobin",
  hash_on: "vars",
  pass_host: "pass",
  tls: { verify: false },
  discovery_args: {},
};
const NODES = [{ host: "127.0.0.1", port: 80, weight: 1, priority: 0 }];

/** Pages of the dashboard with a table, and an object for each; those without POST are put under an id. */
const PAGED: Readonly<Record<string, object>> = {
  services: { name: "one", upstream: { ...UPSTREAM_FORM, nodes: NODES } },
  routes: { name: "one", uri: "/one", upstream: { ...UPSTREAM_FORM, nodes: NODES } },
  stream_routes: { server_port: 9100, upstream: { ...UPSTREAM_FORM, nodes: NODES } },
  upstreams: { name: "one", ...UPSTREAM_FORM, nodes: NODES },
  protos: { content: 'syntax = "proto3";' },
  consumer_groups: { plugins: {} },
  plugin_configs: { name: "one", plugins: {} },
};
const POSTED = ["services", "routes", "stream_routes", "upstreams", "protos"];

/** The dashboard's mark for itself; a field name with underscores. */
const SKIP = { headers: { __dashboard__skipInterceptor: "404" } };

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start({ catalog: catalogOf(keyAuth, clickLogger), isStreamEnabled: true });
});
afterAll(() => admin[Symbol.asyncDispose]());

describe("what APISIX's dashboard sends", () => {
  it.each(Object.entries(PAGED))("makes, pages and changes %s", async (plural, body) => {
    const isPosted = POSTED.includes(plural);
    const made = await admin.call(isPosted ? "POST" : "PUT", isPosted ? `/${plural}` : `/${plural}/one`, { body });
    expect(made).toMatchObject({ status: 201, json: { value: body } });
    const { id } = Object(made.json).value;
    const { json } = await admin.call("GET", `/${plural}?page=1&page_size=10`);
    expect(json).toMatchObject({ total: 1, list: [{ value: { id }, createdIndex: expect.any(Number) }] });
    expect((await admin.call("GET", `/${plural}?page=1&page_size=10&name=none-such`)).json).toMatchObject({ total: 0 });
    expect((await admin.call("GET", `/${plural}?page=1&page_size=10&label=none`)).json).toMatchObject({ total: 0 });
    expect(await admin.call("PUT", `/${plural}/${id}`, { body })).toMatchObject({ status: 200 });
    expect(await admin.call("GET", `/${plural}/${id}`)).toMatchObject({
      status: 200,
      json: { value: { ...body, id } },
    });
  });

  it("finds the routes of a service by an encoded filter", async () => {
    await admin.call("PUT", "/services/s1", { body: {} });
    for (const id of ["r1", "r2"]) await admin.call("PUT", `/routes/${id}`, { body: { uri: "/", service_id: "s1" } });
    await admin.call("PUT", "/stream_routes/t1", { body: { service_id: "s1" } });
    for (const [plural, total] of Object.entries({ routes: 2, stream_routes: 1 })) {
      const path = `/${plural}?filter=service_id%3Ds1&page=1&page_size=10`;
      expect((await admin.call("GET", path)).json).toMatchObject({ total });
    }
  });

  it("keeps consumers by the name in the body, and takes 404 for no credentials", async () => {
    const body = { username: "jack", desc: "d" };
    expect(await admin.call("PUT", "/consumers", { body })).toMatchObject({ status: 201, json: { value: body } });
    const path = "/consumers/jack/credentials?username=jack";
    expect(await admin.call("GET", path, SKIP)).toMatchObject({ status: 404, json: { message: "Key not found" } });
    await admin.call("PUT", "/consumers/jack/credentials/c", { body: { plugins: { "key-auth": { key: "k" } } } });
    expect((await admin.call("GET", path, SKIP)).json).toMatchObject({ total: 1 });
  });

  it("keeps certificates without getting their keys back", async () => {
    const { server } = await createCertificates();
    const made = await admin.call("POST", "/ssls", { body: { snis: ["a.com"], ...server } });
    expect(made.status).toBe(201);
    const { json, text } = await admin.call("GET", "/ssls?page=1&page_size=10");
    expect(json).toMatchObject({ total: 1, list: [{ value: { snis: ["a.com"], cert: server.cert } }] });
    expect(text).not.toContain('"key":"-----');
  });

  it("names secrets by manager and id", async () => {
    const body = { uri: "http://127.0.0.1:8200", prefix: "kv", token: "t" };
    await admin.call("PUT", "/secrets/vault/1", { body });
    const list = await admin.call("GET", "/secrets?page=1&page_size=10");
    expect(list.json).toMatchObject({ total: 1, list: [{ value: { ...body, id: "vault/1" } }] });
    expect((await admin.call("DELETE", "/secrets/vault/1")).status).toBe(200);
  });

  it("learns of plugins, their metadata and global rules", async () => {
    const { json } = await admin.call("GET", "/plugins?all=true");
    expect(json).toMatchObject({
      "key-auth": { type: "auth", priority: 2500, version: 0.1, schema: {}, consumer_schema: {} },
      "click-logger": { scope: "global", metadata_schema: { required: ["ikey"] } },
    });
    expect((await admin.call("GET", "/plugin_metadata/click-logger", SKIP)).status).toBe(404);
    expect((await admin.call("GET", "/global_rules")).json).toEqual({ total: 0, list: [] });
  });

  it.each([
    ["PUT /routes/bad", { uri: 1 }, /^invalid configuration: /],
    ["DELETE /services/s1", undefined, /^can not delete this .* still using it now$/],
  ])("looks for words in refusals: %s", async (request, body, words) => {
    const [method = "", path = ""] = request.split(" ");
    const { status, json } = await admin.call(method, path, { body });
    expect({ status, json }).toEqual({ status: 400, json: { error_msg: expect.stringMatching(words) } });
  });
});
