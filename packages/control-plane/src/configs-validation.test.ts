import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AdminHarness } from "./testing/admin-harness.ts";

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start();
});
afterAll(() => admin[Symbol.asyncDispose]());

const validate = (body?: unknown) => admin.call("POST", "/configs/validate", { body });
const ROUTE = { id: "r", uri: "/", plugins: {} };

describe("a document without problems", () => {
  it.each([
    {},
    {
      routes: [],
      services: {},
      consumers: [],
      ssls: [],
      anything: 1,
      plugins: [{ name: "x" }],
      routes_conf_version: 3,
    },
    { routes: [{ ...ROUTE, service_id: "elsewhere" }], services: [{ id: "s" }] },
  ])("%j is fine and nothing is stored", async (body) => {
    const answer = await validate(body);
    expect(answer).toMatchObject({ status: 200, text: "{}\n" });
    expect(answer.headers).not.toHaveProperty("x-api-version");
    expect(await admin.keys("routes")).toEqual([]);
  });
});

it("every problem is listed with its place", async () => {
  const answer = await validate({
    routes: [ROUTE, { id: "r", uri: 1 }, { id: 5, uri: "/", plugins: { nope: {} } }, "text"],
    routes_conf_version: "1",
    consumers: [{ username: "jack" }],
    upstreams: { id: "u" },
  });
  expect(answer).toMatchObject({ status: 400 });
  expect(answer.json).toEqual({
    error_msg: "Configuration validation failed",
    errors: [
      { resource_type: "routes", error: "routes_conf_version must be a number, got string" },
      {
        resource_type: "routes",
        resource_id: "r",
        index: 1,
        error: 'invalid configuration: property "uri" validation failed: wrong type: expected string, got number',
      },
      { resource_type: "routes", resource_id: "r", index: 1, error: "found duplicate id r in routes" },
      { resource_type: "routes", resource_id: 5, index: 2, error: "unknown plugin [nope]" },
      {
        resource_type: "routes",
        resource_id: "",
        index: 3,
        error: "invalid configuration: wrong type: expected object",
      },
      { resource_type: "upstreams", error: "upstreams must be an array" },
    ],
  });
});

describe("objects whose names are not plain ids", () => {
  it.each([
    [{ consumers: [{ username: "jack" }, { id: "jack/credentials/c1", name: "n" }] }, []],
    [
      { consumers: [{ username: "jack" }, { username: "jack" }] },
      [
        {
          resource_type: "consumers",
          resource_id: "jack",
          index: 1,
          error: "found duplicate username jack in consumers",
        },
      ],
    ],
    [
      { consumers: [{ id: "a/credentials/c" }, { id: "a/credentials/c" }] },
      [
        {
          resource_type: "consumers",
          resource_id: "a/credentials/c",
          index: 1,
          error: "found duplicate credential id a/credentials/c in consumers",
        },
      ],
    ],
    [
      { consumers: [{ id: "a/credentials/c", plugins: { tag: {} } }] },
      [
        {
          resource_type: "consumers",
          resource_id: "a/credentials/c",
          index: 0,
          error: "only supports auth type plugins in consumer credential",
        },
      ],
    ],
    [{ secrets: [{ id: "vault/1", uri: "http://a", prefix: "p", token: "t" }] }, []],
    [
      { secrets: [{ id: "vault" }, { id: "nope/1" }] },
      [
        { resource_type: "secrets", resource_id: "vault", index: 0, error: "invalid secret id: vault" },
        { resource_type: "secrets", resource_id: "nope/1", index: 1, error: "invalid secret manager: nope" },
      ],
    ],
    [{ plugin_metadata: [{ id: "tag", any: 1 }] }, []],
    [
      { plugin_metadata: [{ id: "nope" }] },
      [{ resource_type: "plugin_metadata", resource_id: "nope", index: 0, error: "invalid plugin name" }],
    ],
  ])("%j has the problems %j", async (document, errors) => {
    const { status, json } = await validate(document);
    const expected = { error_msg: "Configuration validation failed", errors };
    expect({ status, json }).toEqual(errors.length === 0 ? { status: 200, json: {} } : { status: 400, json: expected });
  });

  it("rules that stand in the way of stored ones are problems", async () => {
    await admin.call("PUT", "/global_rules/1", { body: { plugins: { tag: {} } } });
    expect((await validate({ global_rules: [{ id: "1", plugins: { tag: {} } }] })).status).toBe(200);
    expect((await validate({ global_rules: [{ id: "2", plugins: { tag: {} } }] })).json).toMatchObject({
      errors: [{ error: "plugin 'tag' already exists in global rule with id '1'" }],
    });
  });
});

describe("YAML", () => {
  const asYaml = (body: string, type = "application/yaml; charset=utf-8") =>
    admin.call("POST", "/configs/validate", { body, headers: { "Content-Type": type } });

  it("is read when the content type says so", async () => {
    expect(await asYaml("routes:\n  - id: r\n    uri: /\n    plugins: {}\n")).toMatchObject({ status: 200, json: {} });
    expect((await asYaml("routes:\n  - id: r\n    uri: 1\n")).json).toMatchObject({ errors: [{ resource_id: "r" }] });
    expect((await asYaml("routes:\n  - id: r\n    uri: /\n    plugins:\n      tag:\n")).status).toBe(200);
    expect((await asYaml("routes: []", "text/plain")).status).toBe(400);
  });

  it.each(["# nothing", "routes: [", "a: b: c", "a: 1\na: 2"])("%j is refused", async (body) => {
    expect(await asYaml(body)).toMatchObject({
      status: 400,
      json: { error_msg: "invalid request body: invalid yaml request body" },
    });
  });

  it("cannot be made to grow without end", async () => {
    const levels = Array.from({ length: 12 }, (_, level) =>
      level === 0 ? `a0: &a0 [${"x,".repeat(10)}x]` : `a${level}: &a${level} [${`*a${level - 1},`.repeat(10)}x]`,
    );
    expect((await asYaml(levels.join("\n"))).status).toBe(400);
  });
});

it.each([
  [undefined, "invalid request body: empty request body"],
  ["[1]", "invalid request body: expected an object"],
  ["{", "invalid request body: Expected object key string but found T_END at character 2"],
])("%j is no document", async (body, message) => {
  expect(await validate(body)).toMatchObject({ status: 400, json: { error_msg: message } });
});

it("only POST leads there", async () => {
  expect(await admin.call("GET", "/configs/validate")).toMatchObject({
    status: 404,
    json: { error_msg: "Unsupported resource type: configs" },
  });
});
