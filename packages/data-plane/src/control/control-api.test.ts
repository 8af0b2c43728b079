import { definePlugin } from "@fngate/plugin-kit";
import { createKeyring, encryptFields } from "@fngate/schema";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { catalogWith, type RunningPlane, sendRequest, startPlane } from "../testing/running-plane.ts";

const control = { host: "127.0.0.1", port: 0 };
const KEY = "qeddd145sfvddff3";

const demo = definePlugin({
  name: "demo",
  version: 0.1,
  priority: 1,
  schema: z.object({ limit: z.number().default(7), secret: z.string().optional() }),
  metadataSchema: z.object({ size: z.number() }),
  secretFields: ["secret"],
  setup: () => ({}),
  controlApis: () => [
    {
      methods: ["POST"],
      path: "/v1/plugin/demo/*",
      handle: async ({ request, variables }) => {
        const body = Buffer.from((await request.body.read(100)) as Uint8Array).toString();
        return { kind: "reply", status: 202, body: { path: request.path, q: variables.get("arg_q"), body } };
      },
    },
  ],
});

async function startControl(): Promise<RunningPlane> {
  return startPlane({ control, catalog: catalogWith(demo), keyring: [KEY] });
}

async function ask(plane: RunningPlane, path: string, options = {}) {
  const answer = await sendRequest(plane.portOf("control"), path, options);
  const type = answer.headers["content-type"];
  return { status: answer.status, type, body: type === "application/json" ? JSON.parse(answer.body) : answer.body };
}

describe("objects in use", () => {
  test("are shown with their revisions, defaults and nodes as a list", async () => {
    await using plane = await startControl();
    const nodes = { "127.0.0.1:1980": 1, "up.example:80": 2, "[::1]:90": 3 };
    await plane.put("upstreams/u", { nodes: { "127.0.0.1:1": 1 } });
    await plane.put("services/s", { upstream_id: "u", plugins: { demo: {} } });
    await plane.put("routes/r", { id: "r", uris: ["/x"], upstream: { nodes, type: "roundrobin" } });
    await plane.put("routes/r", { id: "r", uris: ["/y"], upstream: { nodes, type: "roundrobin" } });
    const route = {
      key: "/apisix/routes/r",
      createdIndex: 4,
      modifiedIndex: 5,
      orig_modifiedIndex: 5,
      has_domain: true,
      value: {
        id: "r",
        uris: ["/y"],
        priority: 0,
        status: 1,
        upstream: {
          type: "roundrobin",
          scheme: "http",
          pass_host: "pass",
          hash_on: "vars",
          nodes: [
            { host: "127.0.0.1", port: 1980, weight: 1 },
            { host: "up.example", port: 80, weight: 2 },
            { host: "[::1]", port: 90, weight: 3 },
          ],
        },
      },
    };
    expect(await ask(plane, "/v1/routes")).toMatchObject({ status: 200, body: [route] });
    expect(await ask(plane, "/v1/route/r")).toMatchObject({ status: 200, body: route });
    expect((await ask(plane, "/v1/services")).body).toMatchObject([
      { key: "/apisix/services/s", has_domain: false, value: { plugins: { demo: { limit: 7, _meta: {} } } } },
    ]);
    expect((await ask(plane, "/v1/upstream/u")).body).toMatchObject({
      value: { id: "u", nodes: [{ host: "127.0.0.1", port: 1, weight: 1 }] },
      has_domain: false,
    });
  });

  test("stay as they were while their newest version is refused, and are gone when deleted", async () => {
    await using plane = await startControl();
    await plane.put("routes/r", { uri: "/x", plugins: {} });
    await plane.put("routes/r", { uri: 5 });
    expect((await ask(plane, "/v1/route/r")).body).toMatchObject({ modifiedIndex: 2, value: { uri: "/x" } });
    await plane.remove("routes/r");
    expect(await ask(plane, "/v1/route/r")).toMatchObject({ status: 404, body: { error_msg: "route[r] not found" } });
    expect((await ask(plane, "/v1/routes")).body).toEqual([]);
  });

  test("keep encrypted what is encrypted in the store", async () => {
    await using plane = await startControl();
    const stored = encryptFields({ secret: "topsecret" }, ["secret"], createKeyring([KEY]));
    await plane.put("routes/r", { uri: "/x", plugins: { demo: stored } });
    const answer = await ask(plane, "/v1/route/r");
    expect(answer.body.value.plugins.demo).toEqual({ ...stored, limit: 7, _meta: {} });
    expect(JSON.stringify(answer.body)).not.toContain("topsecret");
  });

  test.each(["route", "service", "upstream"])("that are not there are 404 by name: %s", async (kind) => {
    await using plane = await startControl();
    expect(await ask(plane, `/v1/${kind}/9`)).toEqual({
      status: 404,
      type: "application/json",
      body: { error_msg: `${kind}[9] not found` },
    });
    expect(await ask(plane, `/v1/${kind}s`)).toMatchObject({ status: 200, body: [] });
  });

  test("of more than a turn come in the order of their ids", async () => {
    await using plane = await startControl();
    for (let id = 0; id < 250; id += 1) await plane.store.put(`/apisix/routes/${id}`, '{"uri":"/x","plugins":{}}');
    await plane.put("routes/last", { uri: "/x", plugins: {} });
    const ids = (await ask(plane, "/v1/routes")).body.map((route: { value: { id: string } }) => route.value.id);
    expect(ids).toHaveLength(251);
    expect(ids).toEqual([...ids].sort());
  });
});

describe("plugin metadata", () => {
  test("is shown for plugins there are, with their names as ids", async () => {
    await using plane = await startControl();
    await plane.put("plugin_metadata/demo", { size: 3 });
    await plane.put("plugin_metadata/other", { size: 4 });
    await plane.put("routes/r", { uri: "/x", plugins: {} });
    expect((await ask(plane, "/v1/plugin_metadatas")).body).toEqual([{ id: "demo", size: 3 }]);
    expect((await ask(plane, "/v1/plugin_metadata/demo")).body).toEqual({ id: "demo", size: 3 });
    expect(await ask(plane, "/v1/plugin_metadata/other")).toMatchObject({
      status: 404,
      body: { error_msg: "plugin metadata[other] not found" },
    });
  });
});

describe("the schema document", () => {
  test("has every kind and every plugin", async () => {
    await using plane = await startControl();
    const { body } = await ask(plane, "/v1/schema");
    expect(body).toMatchObject({
      main: {
        consumer: { type: "object" },
        consumer_group: { type: "object" },
        global_rule: { type: "object" },
        plugin_config: { type: "object" },
        plugins: { type: "array" },
        proto: { type: "object" },
        route: { type: "object" },
        service: { type: "object" },
        ssl: { type: "object" },
        stream_route: { type: "object" },
        upstream: { type: "object" },
        upstream_hash_header_schema: { type: "string" },
        upstream_hash_vars_schema: { type: "string" },
      },
      plugins: {
        demo: {
          version: 0.1,
          priority: 1,
          schema: { type: "object", properties: { _meta: { properties: { disable: { type: "boolean" } } } } },
          metadata_schema: { type: "object" },
        },
      },
      stream_plugins: {},
    });
  });
});

describe("health checks", () => {
  const checks = { active: { http_path: "/", healthy: { interval: 1 }, unhealthy: { interval: 1 } } };
  const upstream = { nodes: { "127.0.0.1:1": 1 }, checks };

  test("are listed for objects that have them, before their first request without nodes", async () => {
    await using plane = await startControl();
    await plane.put("upstreams/u", { ...upstream, checks: { active: { ...checks.active, type: "tcp" } } });
    await plane.put("upstreams/plain", { nodes: { "127.0.0.1:1": 1 } });
    await plane.put("routes/r", { uri: "/x", upstream });
    const ofRoute = { name: "/apisix/routes/r", type: "http", nodes: [] };
    const ofUpstream = { name: "/apisix/upstreams/u", type: "tcp", nodes: [] };
    expect((await ask(plane, "/v1/healthcheck")).body).toEqual([ofRoute, ofUpstream]);
    expect((await ask(plane, "/v1/healthcheck/upstreams/u")).body).toEqual(ofUpstream);
    const page = await ask(plane, "/v1/healthcheck", { headers: { accept: "text/html,*/*" } });
    expect(page).toMatchObject({ status: 200, type: "text/html; charset=utf-8" });
    expect(page.body).toContain("<table>");
  });

  test.each([
    ["upstreams/9", 404, "upstreams[9] not found"],
    ["stream_routes/9", 404, "stream_routes[9] not found"],
    ["upstreams/plain", 404, "no checker for upstreams[plain]"],
    ["upstreams", 404, "missing src id for src type upstreams"],
    ["upstreams/", 404, "missing src id for src type upstreams"],
    ["nonsense/1", 400, "invalid src type nonsense"],
  ])("of %s: %d %s", async (path, status, message) => {
    await using plane = await startControl();
    await plane.put("upstreams/plain", { nodes: { "127.0.0.1:1": 1 } });
    expect(await ask(plane, `/v1/healthcheck/${path}`)).toMatchObject({ status, body: { error_msg: message } });
  });
});

describe("other endpoints", () => {
  test("are those of plugins", async () => {
    await using plane = await startControl();
    const options = { method: "POST", body: "text" };
    const answer = await sendRequest(plane.portOf("control"), "/v1/plugin/demo/x?q=1", options);
    expect(answer).toMatchObject({ status: 202, body: '{"path":"/v1/plugin/demo/x","q":"1","body":"text"}\n' });
    expect(await ask(plane, "/v1/plugin/demo/x")).toMatchObject({ status: 404 });
  });

  test.each([
    ["PUT", "/v1/plugins/reload", 200, "done"],
    ["POST", "/v1/gc", 200, ""],
    ["GET", "/v1/gc", 404, { error_msg: "404 Not Found" }],
    ["GET", "/v1/plugins/reload", 404, { error_msg: "404 Not Found" }],
    ["POST", "/v1/routes", 404, { error_msg: "404 Not Found" }],
    ["GET", "/v1/discovery/consul/dump", 404, { error_msg: "404 Not Found" }],
    ["GET", "/", 404, { error_msg: "404 Not Found" }],
  ])("%s %s is %d", async (...[method, path, status, body]) => {
    await using plane = await startControl();
    expect(await ask(plane, path, { method })).toMatchObject({ status, body });
  });

  test("take no more than a small body", async () => {
    await using plane = await startControl();
    const body = "x".repeat(1024 * 1024 + 1);
    expect(await ask(plane, "/v1/gc", { method: "POST", body })).toMatchObject({ status: 413 });
  });
});
