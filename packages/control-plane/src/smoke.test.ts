import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AdminHarness, VIEWER_KEY } from "./testing/admin-harness.ts";

const ROUTE = { uri: "/hi", upstream: { nodes: { "127.0.0.1:80": 1 } } };

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start();
});
afterAll(() => admin[Symbol.asyncDispose]());

describe("a first tour of the Admin API", () => {
  it("an empty list answers with its total", async () => {
    expect(await admin.call("GET", "/routes")).toMatchObject({ status: 200, text: '{"total":0,"list":[]}\n' });
  });

  it("a PUT of a new object answers 201 with what was stored and nothing else", async () => {
    const { status, json } = await admin.call("PUT", "/routes/1", { body: ROUTE });
    expect(status).toBe(201);
    expect(json).toEqual({
      key: "/apisix/routes/1",
      value: { ...ROUTE, id: "1", create_time: expect.any(Number), update_time: expect.any(Number) },
    });
  });

  it("a PUT of a known object answers 200 and keeps the creation time", async () => {
    const entry = await admin.store.get("/apisix/routes/1");
    await admin.store.put("/apisix/routes/1", JSON.stringify({ ...JSON.parse(entry?.value ?? ""), create_time: 5 }));
    expect(await admin.call("PUT", "/routes/1", { body: ROUTE })).toMatchObject({
      status: 200,
      json: { value: { create_time: 5, update_time: expect.any(Number) } },
    });
  });

  it("a GET of one object shows its place in the store's history", async () => {
    const { status, json } = await admin.call("GET", "/routes/1");
    const entry = await admin.store.get("/apisix/routes/1");
    expect(status).toBe(200);
    expect(json).toEqual({
      key: "/apisix/routes/1",
      value: JSON.parse(entry?.value ?? ""),
      createdIndex: Number(entry?.createRevision),
      modifiedIndex: Number(entry?.modRevision),
    });
    expect(Number(entry?.modRevision)).toBeGreaterThan(Number(entry?.createRevision));
  });

  it.each([
    ["PUT /routes/1", undefined, { status: 400, json: { error_msg: "missing configurations" } }],
    [
      "PUT /routes/1",
      "{bad",
      {
        status: 400,
        json: {
          error_msg: "invalid request body: Expected object key string but found invalid token at character 2",
          req_body: "{bad",
        },
      },
    ],
    ["PUT /routes/1", { id: "2", uri: "/a", plugins: {} }, { status: 400, json: { error_msg: "wrong route id" } }],
    [
      "POST /routes/9",
      { uri: "/a", plugins: {} },
      { status: 400, json: { error_msg: "wrong route id, do not need it" } },
    ],
    ["PATCH /routes/zz", {}, { status: 404, json: { message: "Key not found" } }],
    ["PUT /routes/1?ttl=x", ROUTE, { status: 400, json: { error_msg: "invalid argument ttl: should be a number" } }],
    ["GET /routes/nope", undefined, { status: 404, json: { message: "Key not found" } }],
    ["DELETE /routes/nope", undefined, { status: 404, json: { message: "Key not found" } }],
    ["DELETE /routes", undefined, { status: 400, json: { error_msg: "missing route id" } }],
    ["PATCH /routes", {}, { status: 400, json: { error_msg: "missing route id" } }],
    ["PUT /routes", ROUTE, { status: 400, json: { error_msg: "missing route id" } }],
    ["GET /nope", undefined, { status: 404, json: { error_msg: "Unsupported resource type: nope" } }],
    ["GET /schema/nope", undefined, { status: 400, json: { error_msg: "not found schema: nope" } }],
    ["GET /plugins/nope", undefined, { status: 404, json: { error_msg: "plugin not found in subsystem http" } }],
    ["PUT /plugins/tag", {}, { status: 404, json: { error_msg: "not found" } }],
    [
      "GET /stream_routes",
      undefined,
      { status: 400, json: { error_msg: "stream mode is disabled, can not add stream routes" } },
    ],
    [
      "POST /schema/validate/routes",
      { uri: 1 },
      {
        status: 400,
        json: { error_msg: 'property "uri" validation failed: wrong type: expected string, got number' },
      },
    ],
  ])("%s %j answers %j", async (request, body, answer) => {
    const [method = "", path = ""] = request.split(" ");
    const { status, json } = await admin.call(method, path, { body });
    expect({ status, json }).toEqual(answer);
  });

  it("a POST generates an id of twenty digits", async () => {
    const { status, json } = await admin.call("POST", "/routes", { body: { uri: "/a", plugins: {} } });
    expect(status).toBe(201);
    expect(json).toMatchObject({ value: { id: expect.stringMatching(/^[0-9]{20}$/) } });
  });

  it("a PATCH adds and removes a name", async () => {
    const named = await admin.call("PATCH", "/routes/1", { body: { name: "n" } });
    expect(named).toMatchObject({ status: 200, json: { key: "/apisix/routes/1", value: { name: "n", uri: "/hi" } } });
    const { status, json } = await admin.call("PATCH", "/routes/1", { body: { name: null } });
    expect(status).toBe(200);
    expect(json).not.toHaveProperty("value.name");
  });

  it("a PATCH below an object replaces one attribute", async () => {
    const { status, json } = await admin.call("PATCH", "/routes/1/upstream/nodes", { body: { "127.0.0.1:81": 1 } });
    expect(status).toBe(200);
    expect(json).toMatchObject({ value: { upstream: { nodes: { "127.0.0.1:81": 1 } } } });
    expect(json).not.toHaveProperty(["value", "upstream", "nodes", "127.0.0.1:80"]);
  });

  it("a PATCH through a scalar is refused", async () => {
    expect(await admin.call("PATCH", "/routes/1/uri/foo", { body: '"x"' })).toMatchObject({
      status: 400,
      json: { error_msg: expect.stringMatching(/^invalid sub-path: \//) },
    });
  });

  it("a bad page size answers in plain text", async () => {
    expect(await admin.call("GET", "/routes?page=1&page_size=5")).toMatchObject({
      status: 400,
      text: "page_size must be between 10 and 500",
      headers: { "content-type": "application/json" },
    });
  });

  it("an upstream in use is not deleted unless forced", async () => {
    await admin.call("PUT", "/upstreams/u", { body: { nodes: {} } });
    expect(await admin.call("PUT", "/routes/2", { body: { uri: "/", upstream_id: "u" } })).toMatchObject({
      status: 201,
    });
    expect(await admin.call("DELETE", "/upstreams/u?force=1")).toMatchObject({
      status: 400,
      json: { error_msg: "can not delete this upstream, route [2] is still using it now" },
    });
    expect(await admin.call("DELETE", "/upstreams/u?force=true")).toMatchObject({
      status: 200,
      text: '{"deleted":"1","key":"/apisix/upstreams/u"}\n',
    });
    expect(await admin.call("DELETE", "/upstreams/u?force=true")).toMatchObject({ status: 404 });
  });

  it("a service in use is not deleted, and is once its route is gone", async () => {
    await admin.call("PUT", "/services/s", { body: {} });
    await admin.call("PUT", "/routes/3", { body: { uri: "/", service_id: "s" } });
    expect(await admin.call("DELETE", "/services/s")).toMatchObject({
      status: 400,
      json: { error_msg: "can not delete this service directly, route [3] is still using it now" },
    });
    await admin.call("DELETE", "/routes/3");
    expect(await admin.call("DELETE", "/services/s")).toMatchObject({ status: 200 });
  });

  it("a viewer may read and nothing else", async () => {
    const headers = { "X-API-KEY": VIEWER_KEY };
    expect(await admin.call("GET", "/routes/1", { headers })).toMatchObject({ status: 200 });
    expect(await admin.call("PUT", "/routes/1", { headers, body: ROUTE })).toMatchObject({
      status: 401,
      json: { error_msg: "failed to check token", description: "invalid method for role viewer" },
    });
  });

  it("HEAD of the base path tells that the API is alive, without a key", async () => {
    expect(await admin.call("HEAD", "", { isAnonymous: true })).toMatchObject({ status: 200, text: "" });
  });
});
