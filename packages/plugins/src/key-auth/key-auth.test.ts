import { describePlugin, runGateway } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { keyAuth } from "./index.ts";

describePlugin(keyAuth, {
  folder: import.meta.dirname,
  config: {},
  consumerConfig: { key: "key-of-jack" },
  request: { headers: ["apikey", "key-of-jack"] },
});

/** A gateway that knows jack, by his own key and by a credential. */
function startWith(config: Readonly<Record<string, unknown>> = {}) {
  return runGateway({
    plugins: [keyAuth],
    routes: { 1: { uri: "/*", plugins: { "key-auth": config } } },
    consumers: {
      jack: {
        labels: { custom_id: "c-7" },
        plugins: { "key-auth": { key: "jacks-key" } },
        credentials: { second: { plugins: { "key-auth": { key: "other-key" } } } },
      },
      guest: {},
    },
  });
}

describe("key-auth", () => {
  it("tells the upstream who calls, and lets nobody claim to be somebody else", async () => {
    await using gateway = await startWith();
    const answer = await gateway.get("/", {
      apikey: "jacks-key",
      "X-Consumer-Username": "mallory",
      "X-Credential-Identifier": "made-up",
    });
    expect(answer.status).toBe(200);
    const { headers } = await gateway.upstream.request();
    expect(headers).toMatchObject({
      apikey: "jacks-key",
      "x-consumer-username": "jack",
      "x-consumer-custom-id": "c-7",
    });
    expect(headers["x-credential-identifier"]).toBeUndefined();
  });

  it("takes the key of a credential, from the query too", async () => {
    await using gateway = await startWith();
    expect((await gateway.get("/?apikey=other-key")).status).toBe(200);
    const { headers } = await gateway.upstream.request();
    expect(headers).toMatchObject({ "x-consumer-username": "jack", "x-credential-identifier": "second" });
  });

  it.each([
    { name: "no key", target: "/", headers: {}, message: "Missing API key in request" },
    { name: "an unknown key", target: "/", headers: { apikey: "x" }, message: "Invalid API key in request" },
    { name: "an argument without value", target: "/?apikey", headers: {}, message: "Missing API key in request" },
    {
      name: "a bad field beside a good argument",
      target: "/?apikey=jacks-key",
      headers: { apikey: "x" },
      message: "Invalid API key in request",
    },
  ])("refuses $name", async ({ target, headers, message }) => {
    await using gateway = await startWith({ realm: "mine" });
    const answer = await gateway.get(target, headers);
    expect(answer).toMatchObject({ status: 401, body: `{"message":"${message}"}\n` });
    expect(answer.headers["www-authenticate"]).toBe('apikey realm="mine"');
  });

  it("hides what it used when told to", async () => {
    await using gateway = await startWith({ header: "X-Key", query: "k", hide_credentials: true });
    await gateway.get("/a?x=1", { "x-key": "jacks-key" });
    expect((await gateway.upstream.request()).headers["x-key"]).toBeUndefined();
    await gateway.get("/a?x=1&k=jacks-key&y=%20");
    expect((await gateway.upstream.request(2)).url).toBe("/a?x=1&y=%20");
  });

  it("lets the anonymous consumer in, and nobody when there is none of that name", async () => {
    await using gateway = await startWith({ anonymous_consumer: "guest" });
    expect((await gateway.get("/", { apikey: "wrong" })).status).toBe(200);
    expect((await gateway.upstream.request()).headers["x-consumer-username"]).toBe("guest");
    await gateway.put("routes/1", { uri: "/*", plugins: { "key-auth": { anonymous_consumer: "nobody" } } });
    expect(await gateway.get("/")).toMatchObject({ status: 401, body: '{"message":"Invalid user authorization"}\n' });
  });

  it("follows changes of consumers", async () => {
    await using gateway = await startWith();
    await gateway.put("consumers/jack", { username: "jack", plugins: { "key-auth": { key: "new-key" } } });
    expect((await gateway.get("/", { apikey: "jacks-key" })).status).toBe(401);
    expect((await gateway.get("/", { apikey: "new-key" })).status).toBe(200);
    await gateway.remove("consumers/jack/credentials/second");
    expect((await gateway.get("/", { apikey: "other-key" })).status).toBe(401);
  });
});
