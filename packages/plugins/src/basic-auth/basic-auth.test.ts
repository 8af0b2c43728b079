import { describePlugin, runGateway } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { basicAuthConsumerSchema } from "./consumer-schema.ts";
import { basicAuth } from "./index.ts";
import { basicAuthSchema } from "./schema.ts";

describePlugin(basicAuth, {
  folder: import.meta.dirname,
  config: {},
  consumerConfig: { username: "jack", password: "password-of-jack" },
  request: { headers: ["Authorization", `Basic ${Buffer.from("jack:other").toString("base64")}`] },
});

describeSchema(basicAuthSchema, {
  defaults: [{}, { hide_credentials: false, realm: "basic" }],
  accepts: [{ hide_credentials: true, realm: "my realm", anonymous_consumer: "guest", other: 1 }],
  refuses: [
    [{ realm: 'a"b' }, "realm"],
    [{ realm: "" }, "realm"],
    [{ anonymous_consumer: "" }, "anonymous_consumer"],
    [{ hide_credentials: 1 }, "hide_credentials"],
  ],
});

describe("configuration in consumers", () => {
  it.each([
    [{ username: "jack" }, "password"],
    [{ password: "p" }, "username"],
    [{ username: 1, password: "p" }, "username"],
  ])("refuses %j because of %s", (config, path) => {
    expect(basicAuthConsumerSchema.safeParse(config).error?.issues[0]?.path).toEqual([path]);
  });
});

/** The value of an `Authorization` field. */
function basic(text: string, scheme = "Basic"): Record<string, string> {
  return { authorization: `${scheme} ${Buffer.from(text).toString("base64")}` };
}

/** A gateway that knows jack, by a password of his own and by a credential. */
function startWith(config: Readonly<Record<string, unknown>> = {}) {
  return runGateway({
    plugins: [basicAuth],
    routes: { 1: { uri: "/*", plugins: { "basic-auth": config } } },
    consumers: {
      jack: {
        plugins: { "basic-auth": { username: "jack-login", password: "a:b c:ü" } },
        credentials: { second: { plugins: { "basic-auth": { username: "second-login", password: "plain" } } } },
      },
      nobody: { plugins: { "basic-auth": { username: "no-password", password: "" } } },
      guest: {},
    },
  });
}

describe("basic-auth", () => {
  it.each([
    {
      name: "a password with colons, spaces and other letters",
      headers: basic("jack-login:a:b c:ü"),
      credential: undefined,
    },
    { name: "a credential", headers: basic("second-login:plain"), credential: "second" },
    { name: "a scheme in other letters", headers: basic("second-login:plain", "bAsIc"), credential: "second" },
    { name: "a line feed behind the password", headers: basic("second-login:plain\n"), credential: "second" },
  ])("tells the upstream who calls by $name", async ({ headers, credential }) => {
    await using gateway = await startWith();
    expect((await gateway.get("/", { ...headers, "X-Consumer-Username": "mallory" })).status).toBe(200);
    const received = (await gateway.upstream.request()).headers;
    expect(received).toMatchObject({ ...headers, "x-consumer-username": "jack" });
    expect(received["x-credential-identifier"]).toBe(credential);
  });

  it.each([
    { name: "no field", headers: {}, message: "Missing authorization in request" },
    { name: "another scheme", headers: { authorization: "Bearer abc" }, message: "Invalid authorization in request" },
    { name: "no base64", headers: { authorization: "Basic ab*d" }, message: "Invalid authorization in request" },
    { name: "no colon", headers: basic("jack-login"), message: "Invalid authorization in request" },
    { name: "an empty password", headers: basic("no-password:"), message: "Invalid authorization in request" },
    {
      name: "a password of spaces for an empty one",
      headers: basic("no-password: "),
      message: "Invalid user authorization",
    },
    { name: "an unknown name", headers: basic("somebody:plain"), message: "Invalid user authorization" },
    { name: "an empty name", headers: basic(":plain"), message: "Invalid user authorization" },
    { name: "a wrong password", headers: basic("second-login:Plain"), message: "Invalid user authorization" },
    { name: "the beginning of a password", headers: basic("jack-login:a"), message: "Invalid user authorization" },
    { name: "the consumer's own name", headers: basic("jack:a:b c:ü"), message: "Invalid user authorization" },
  ])("refuses $name", async ({ headers, message }) => {
    await using gateway = await startWith({ realm: "mine" });
    const answer = await gateway.get("/", headers);
    expect(answer).toMatchObject({ status: 401, body: `{"message":"${message}"}\n` });
    expect(answer.headers["www-authenticate"]).toBe('Basic realm="mine"');
    expect(gateway.upstream.requests).toEqual([]);
  });

  it("hides what it used when told to", async () => {
    await using gateway = await startWith({ hide_credentials: true });
    await gateway.get("/", basic("second-login:plain"));
    const { headers } = await gateway.upstream.request();
    expect(headers).toMatchObject({ "x-consumer-username": "jack" });
    expect(headers["authorization"]).toBeUndefined();
  });

  it("lets the anonymous consumer in, and nobody when there is none of that name", async () => {
    await using gateway = await startWith({ anonymous_consumer: "guest" });
    expect((await gateway.get("/", basic("jack-login:wrong"))).status).toBe(200);
    expect((await gateway.upstream.request()).headers["x-consumer-username"]).toBe("guest");
    await gateway.put("routes/1", { uri: "/*", plugins: { "basic-auth": { anonymous_consumer: "absent" } } });
    expect(await gateway.get("/")).toMatchObject({ status: 401, body: '{"message":"Invalid user authorization"}\n' });
  });

  it("follows changes of consumers", async () => {
    await using gateway = await startWith();
    const changed = { username: "jack-login", password: "new" };
    await gateway.put("consumers/jack", { username: "jack", plugins: { "basic-auth": changed } });
    expect((await gateway.get("/", basic("jack-login:a:b c:ü"))).status).toBe(401);
    expect((await gateway.get("/", basic("jack-login:new"))).status).toBe(200);
  });
});
