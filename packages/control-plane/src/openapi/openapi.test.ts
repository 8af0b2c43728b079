import { registry } from "@fngate/schema";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AdminHarness, catalogOf } from "../testing/admin-harness.ts";
import { basicAuth, clickLogger, keyAuth, trafficSplit } from "../testing/plugins.ts";

interface OpenApi extends Record<string, unknown> {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId?: string }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

let admin: AdminHarness;
let document: OpenApi;
beforeAll(async () => {
  admin = await AdminHarness.start({
    catalog: catalogOf(keyAuth, basicAuth, trafficSplit, clickLogger),
    isStreamEnabled: true,
  });
  document = (await admin.call("GET", "/openapi.json")).json as OpenApi;
});
afterAll(() => admin[Symbol.asyncDispose]());

/** Tells whether the schema of a kind in the document accepts a value. */
function accepts(kind: string, value: unknown): boolean {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, "api");
  return ajv.validate({ $ref: `api#/components/schemas/${kind}` }, value);
}

describe("the OpenAPI description", () => {
  it("is valid OpenAPI 3.1", async () => {
    const result = await new Validator().validate(structuredClone(document));
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    expect(document).toMatchObject({ openapi: "3.1.0", info: { version: "3.18.0" } });
  });

  it("asks for a key, of any role", async () => {
    expect((await admin.call("GET", "/openapi.json", { isAnonymous: true })).status).toBe(401);
  });

  it("has an operation for every verb of every kind, and no name twice", () => {
    const ids = Object.values(document.paths).flatMap((path) =>
      Object.values(path).flatMap(({ operationId }) => operationId ?? []),
    );
    expect(new Set(ids).size).toBe(ids.length);
    const verbs = { GET: "get", POST: "create", PUT: "put", PATCH: "patch", DELETE: "delete" };
    for (const { kind, methods } of registry.all()) {
      const names = [`list_${kind}`, ...methods.map((method) => `${verbs[method]}_${kind}`)];
      expect(ids, kind).toEqual(expect.arrayContaining(names));
    }
  });

  it("describes paths that are there", async () => {
    for (const path of Object.keys(document.paths)) {
      const url = path.replaceAll(/\{\w+\}/g, "x");
      const method = Object.keys(document.paths[path] ?? {}).find((name) => name !== "parameters") ?? "get";
      const { status, text } = await admin.call(method.toUpperCase(), url, { body: {} });
      expect(text, `${method} ${path} ${status}`).not.toMatch(/Unsupported resource type: (?!x)|"not found"/);
    }
  });

  it("knows no stream routes where there are none", async () => {
    await using plain = await AdminHarness.start();
    const { paths } = (await plain.call("GET", "/openapi.json")).json as OpenApi;
    expect(Object.keys(paths).filter((path) => path.startsWith("/stream_routes"))).toEqual([]);
  });

  it.each([
    ["route", { uri: "/a", plugins: { "key-auth": { header: "k" } } }, true],
    ["route", { uri: "/a", plugins: { nope: {} } }, false],
    ["route", { uri: "/a", plugins: { "key-auth": { header: 1 } } }, false],
    ["route", { uri: "/a", plugins: { "key-auth": { _meta: { disable: true } } } }, true],
    ["route", { uri: "/a", plugins: { "key-auth": { _meta: { zzz: true } } } }, false],
    ["route", {}, false],
    ["route", { uri: "/a", uris: ["/b"], plugins: {} }, false],
    ["consumer", { username: "jack", plugins: { "key-auth": { key: "k" } } }, true],
    ["consumer", { username: "jack", plugins: { "key-auth": {} } }, false],
    ["stream_route", { plugins: { "click-logger": { size: 1 } } }, true],
    ["stream_route", { plugins: { "key-auth": {} } }, false],
    ["upstream", { nodes: {}, tls: { client_cert: "c".repeat(128) } }, false],
    ["upstream", { nodes: {}, tls: { client_cert: "c".repeat(128), client_key: "k".repeat(64) } }, true],
    ["global_rule", { plugins: {} }, true],
    ["secret", { uri: "http://a", prefix: "p", token: "t" }, true],
    ["secret", {}, false],
    ["plugin_metadata", { ikey: "i" }, true],
  ])("says that %s %j is valid: %s", (kind, value, isValid) => {
    expect(accepts(kind, value)).toBe(isValid);
  });
});
