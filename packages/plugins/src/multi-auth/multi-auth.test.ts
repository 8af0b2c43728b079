import { createHmac } from "node:crypto";
import { runGateway } from "@fngate/data-plane/testing";
import type { PluginDefinition } from "@fngate/plugin-kit";
import { describePlugin, fakeDeps } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { basicAuth } from "../basic-auth/index.ts";
import { hmacAuth } from "../hmac-auth/index.ts";
import { jwtAuth } from "../jwt-auth/index.ts";
import { keyAuth } from "../key-auth/index.ts";
import { mocking } from "../mocking/index.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { multiAuth } from "./index.ts";
import { multiAuthSchema } from "./schema.ts";

const alternatives = [{ "basic-auth": {} }, { "key-auth": {} }];

describePlugin(multiAuth, {
  folder: import.meta.dirname,
  config: { auth_plugins: alternatives },
  plugins: {
    setUp: (name) => ({ name, isAuth: true, instance: { rewrite: () => undefined } }),
    findApi: () => undefined,
  },
});

describeSchema(multiAuthSchema, {
  defaults: [{ auth_plugins: alternatives }, { auth_plugins: alternatives }],
  accepts: [{ auth_plugins: [...alternatives, { "jwt-auth": {} }], other: 1 }],
  refuses: [
    [{}, "auth_plugins"],
    [{ auth_plugins: [{ "key-auth": {} }] }, "auth_plugins"],
    [{ auth_plugins: [1, 2] }, "auth_plugins.0"],
  ],
});

const SECRET = "a-secret-of-32-bytes-at-the-least";

/** A token of jack's. */
function token(): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ key: "jacks-token" })}`;
  return `${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
}

const plugins = [multiAuth, basicAuth, keyAuth, jwtAuth, hmacAuth, mocking].map((plugin) => plugin as PluginDefinition);

function startWith(authPlugins: readonly object[]) {
  return runGateway({
    plugins,
    routes: { 1: { uri: "/*", plugins: { "multi-auth": { auth_plugins: authPlugins } } } },
    consumers: {
      jack: {
        plugins: {
          "basic-auth": { username: "jack", password: "pass" },
          "key-auth": { key: "jacks-key" },
          "jwt-auth": { key: "jacks-token", secret: SECRET },
        },
      },
      guest: {},
    },
  });
}

const basic = `Basic ${Buffer.from("jack:pass").toString("base64")}`;
const three = [
  { "basic-auth": { hide_credentials: true } },
  { "key-auth": {} },
  { "jwt-auth": { hide_credentials: true } },
];

describe("multi-auth", () => {
  it.each([{ disable: true }, { filter: [["arg_never", "==", "1"]] }])(
    "lets nobody in because of an alternative that %j would pass over",
    async (_meta) => {
      await using gateway = await startWith([{ "key-auth": { _meta } }, { "basic-auth": {} }]);
      expect((await gateway.get("/")).status).toBe(401);
      expect((await gateway.get("/", { apikey: "jacks-key" })).status).toBe(200);
    },
  );

  it.each([
    { name: "the first", headers: { authorization: basic } },
    { name: "the second", headers: { apikey: "jacks-key" } },
    { name: "the last", headers: { authorization: `Bearer ${token()}` } },
    {
      name: "one of them, though another refuses,",
      headers: { authorization: "Basic bm9ib2R5Ong=", apikey: "jacks-key" },
    },
  ])("lets those in whom $name lets in", async ({ headers }) => {
    await using gateway = await startWith(three);
    const answer = await gateway.get("/", headers);
    expect(answer.status).toBe(200);
    expect(answer.headers["www-authenticate"]).toBeUndefined();
    expect((await gateway.upstream.request()).headers["x-consumer-username"]).toBe("jack");
  });

  it.each([{ headers: {} }, { headers: { authorization: "Basic bm9ib2R5Ong=", apikey: "x" } }])(
    "refuses with the challenges of all when none lets $headers in",
    async ({ headers }) => {
      await using gateway = await startWith([{ "basic-auth": {} }, { "key-auth": {} }, { "hmac-auth": {} }]);
      const answer = await gateway.get("/", headers);
      expect(answer).toMatchObject({ status: 401, body: '{"message":"Authorization Failed"}\n' });
      expect(answer.headers["www-authenticate"]).toBe('Basic realm="basic", apikey realm="key", hmac realm="hmac"');
      expect(gateway.upstream.requests).toEqual([]);
    },
  );

  it("takes the anonymous consumer of an alternative, where there is one", async () => {
    await using gateway = await startWith([
      { "basic-auth": { anonymous_consumer: "absent" } },
      { "key-auth": { anonymous_consumer: "guest" } },
    ]);
    expect((await gateway.get("/")).status).toBe(200);
    expect((await gateway.upstream.request()).headers["x-consumer-username"]).toBe("guest");
  });

  it.each([
    { wrong: { unknown: {} }, problem: "unknown plugin [unknown]" },
    { wrong: { mocking: { response_example: "x" } }, problem: "mocking plugin is not supported" },
    { wrong: { "key-auth": { header: 1 } }, problem: "wrong type" },
  ])("cannot be set up with $wrong", async ({ wrong, problem }) => {
    const routes = { 1: { uri: "/*", plugins: { "multi-auth": { auth_plugins: [{ "basic-auth": {} }, wrong] } } } };
    await using gateway = await runGateway({ plugins, routes, hasFindings: true });
    expect(gateway.plane.diagnostics[0]?.message).toContain(problem);
    expect((await gateway.get("/", { authorization: basic })).status).toBe(404);
  });
});

describe("the check of alternatives", () => {
  const catalog = new Map([
    ["basic-auth", { isAuth: true, problem: undefined }],
    ["key-auth", { isAuth: true, problem: "bad" }],
    ["mocking", { isAuth: false, problem: undefined }],
  ]);
  const nested = {
    find: (name: string) => catalog.get(name),
    problemOf: (name: string) => catalog.get(name)?.problem,
    problemIn: () => undefined,
    upstreamProblem: () => undefined,
  };

  it.each([
    ["basic-auth", undefined],
    ["key-auth", "plugin key-auth check schema failed: bad"],
    ["mocking", "mocking plugin is not supported"],
    ["nothing", "nothing plugin did not found"],
  ])("says of %s: %s", (name, problem) => {
    const config = { auth_plugins: [{ "basic-auth": {} }, { [name]: {} }] };
    expect(multiAuth.checkNested?.(config, nested)).toBe(problem);
  });
});

describe("what is given back", () => {
  it("is every alternative that was set up before one that could not be", () => {
    let held = 0;
    const directory = {
      setUp(name: string) {
        if (name === "key-auth") throw new Error("not today");
        held += 1;
        const dispose = () => {
          held -= 1;
        };
        return { name, isAuth: true, instance: { rewrite: () => undefined, dispose } };
      },
      findApi: () => undefined,
    };
    const setUp = () => multiAuth.setup({ auth_plugins: alternatives }, fakeDeps({ plugins: directory }));
    expect(setUp).toThrow("not today");
    expect(held).toBe(0);
  });
});
