import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { definePlugin } from "@fngate/plugin-kit";
import { describePlugin, runGateway } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { describeSchema } from "../testing/describe-schema.ts";
import { jwtAuthConsumerSchema } from "./consumer-schema.ts";
import { jwtAuth } from "./index.ts";
import { jwtAuthSchema } from "./schema.ts";

describePlugin(jwtAuth, {
  folder: import.meta.dirname,
  config: {},
  consumerConfig: { key: "k", secret: "secret-of-jack" },
  // Signed with another secret: {"alg":"HS256"} . {"key":"k"} . any text.
  request: { headers: ["Authorization", "eyJhbGciOiJIUzI1NiJ9.eyJrZXkiOiJrIn0.c2lnbmVk"] },
});

describeSchema(jwtAuthSchema, {
  defaults: [
    {},
    {
      header: "authorization",
      query: "jwt",
      cookie: "jwt",
      hide_credentials: false,
      key_claim_name: "key",
      store_in_ctx: false,
      realm: "jwt",
    },
  ],
  accepts: [{ claims_to_verify: ["exp", "nbf"], anonymous_consumer: "guest", other: 1 }, { claims_to_verify: [] }],
  refuses: [
    [{ key_claim_name: "" }, "key_claim_name"],
    [{ claims_to_verify: ["iat"] }, "claims_to_verify.0"],
    [{ claims_to_verify: ["exp", "exp"] }, "claims_to_verify"],
    [{ realm: '"' }, "realm"],
  ],
});

const NO_PUBLIC_KEY =
  'failed to validate dependent schema for "algorithm": value should match only one schema, but matches none';

describe("configuration in consumers", () => {
  describeSchema(jwtAuthConsumerSchema, {
    defaults: [
      { key: "k", secret: "s" },
      { key: "k", secret: "s", algorithm: "HS256", exp: 86_400, base64_secret: false, lifetime_grace_period: 0 },
    ],
    accepts: [
      { key: "k", algorithm: "EdDSA", public_key: "p", other: 1 },
      { key: "k", secret: "c2VjcmV0", base64_secret: true },
      { key: "k", secret: "$env://JWT_SECRET", base64_secret: true },
    ],
    refuses: [
      [{ secret: "s" }, "key"],
      [{ key: "k", secret: "" }, "secret"],
      [{ key: "k", secret: "s", algorithm: "none" }, "algorithm"],
      [{ key: "k", secret: "s", exp: 0 }, "exp"],
      [{ key: "k", secret: "s", lifetime_grace_period: -1 }, "lifetime_grace_period"],
      [{ key: "k" }, 'property "secret" is required when using HS based algorithms'],
      [{ key: "k", public_key: "p" }, 'property "secret" is required when using HS based algorithms'],
      [{ key: "k", secret: "?", base64_secret: true }, "base64_secret required but the secret is not in base64 format"],
      [{ key: "k", secret: "s", algorithm: "RS256" }, NO_PUBLIC_KEY],
      [{ key: "k", algorithm: "ES512", public_key: "" }, NO_PUBLIC_KEY],
    ],
  });
});

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");

/** A token made with node's own cryptography, apart from the library that verifies it. */
function tokenOf(claims: object, key: string | Buffer | KeyObject, alg = "HS256"): string {
  const text = `${encode({ alg, typ: "JWT" })}.${encode(claims)}`;
  return `${text}.${signatureOf(text, key, alg).toString("base64url")}`;
}

function signatureOf(text: string, key: string | Buffer | KeyObject, alg: string): Buffer {
  const digest = `sha${alg.slice(2)}`;
  if (typeof key === "string" || Buffer.isBuffer(key)) return createHmac(digest, key).update(text).digest();
  if (alg === "EdDSA") return sign(null, Buffer.from(text), key);
  if (alg.startsWith("ES")) return sign(digest, Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  const padding = alg.startsWith("PS") ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {};
  return sign(digest, Buffer.from(text), { key, saltLength: constants.RSA_PSS_SALTLEN_DIGEST, ...padding });
}

const SECRET = "secret of jack, long enough for all of them";
const NOW = Math.floor(Date.now() / 1000);

/** A gateway that knows jack, with what a test adds to the configuration of route and consumer. */
function startWith(config: object = {}, ofJack: object = {}) {
  return runGateway({
    plugins: [jwtAuth],
    routes: { 1: { uri: "/*", plugins: { "jwt-auth": config } } },
    consumers: {
      jack: { plugins: { "jwt-auth": { key: "jacks-key", secret: SECRET, ...ofJack } } },
      guest: {},
    },
  });
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const GOOD = tokenOf({ key: "jacks-key" }, SECRET);

describe("jwt-auth", () => {
  it.each([
    { name: "a field", target: "/", headers: bearer(GOOD) },
    { name: "a field without scheme", target: "/", headers: { authorization: GOOD } },
    { name: "an argument", target: `/?jwt=${GOOD}`, headers: {} },
    { name: "a cookie", target: "/", headers: { cookie: `a=b; jwt=${GOOD}` } },
  ])("takes a token in $name", async ({ target, headers }) => {
    await using gateway = await startWith();
    expect((await gateway.get(target, { ...headers, "X-Consumer-Username": "mallory" })).status).toBe(200);
    expect((await gateway.upstream.request()).headers).toMatchObject({ ...headers, "x-consumer-username": "jack" });
  });

  it.each([
    { name: "no token", token: undefined, message: "Missing JWT token in request" },
    { name: "two parts", token: "a.b", message: "JWT token invalid" },
    { name: "a payload that is no object", token: `${encode({ alg: "HS256" })}.MQ.x`, message: "JWT token invalid" },
    { name: "no key", token: tokenOf({ sub: "jacks-key" }, SECRET), message: "missing user key in JWT token" },
    { name: "an unknown key", token: tokenOf({ key: "k" }, SECRET), message: "Invalid user key in JWT token" },
    { name: "a key that is a number", token: tokenOf({ key: 1 }, SECRET), message: "Invalid user key in JWT token" },
    { name: "another secret", token: tokenOf({ key: "jacks-key" }, "other"), message: "failed to verify jwt" },
    {
      name: "another algorithm",
      token: tokenOf({ key: "jacks-key" }, SECRET, "HS512"),
      message: "failed to verify jwt",
    },
    {
      name: "no signature",
      token: `${encode({ alg: "none" })}.${encode({ key: "jacks-key" })}.`,
      message: "failed to verify jwt",
    },
    {
      name: "an expired one",
      token: tokenOf({ key: "jacks-key", exp: NOW - 60 }, SECRET),
      message: "failed to verify jwt",
    },
    {
      name: "one for later",
      token: tokenOf({ key: "jacks-key", nbf: NOW + 3600 }, SECRET),
      message: "failed to verify jwt",
    },
    {
      name: "a time that is text",
      token: tokenOf({ key: "jacks-key", exp: "9e9" }, SECRET),
      message: "failed to verify jwt",
    },
  ])("refuses $name", async ({ token, message }) => {
    await using gateway = await startWith({ realm: "mine" });
    const answer = await gateway.get("/", token === undefined ? {} : bearer(token));
    expect(answer).toMatchObject({ status: 401, body: `{"message":"${message}"}\n` });
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="mine"');
    expect(gateway.upstream.requests).toEqual([]);
  });

  it.each(["HS384", "HS512"])("verifies %s with a secret in base64", async (algorithm) => {
    const bytes = Buffer.alloc(64, 7);
    await using gateway = await startWith({}, { algorithm, secret: bytes.toString("base64"), base64_secret: true });
    expect((await gateway.get("/", bearer(tokenOf({ key: "jacks-key" }, bytes, algorithm)))).status).toBe(200);
  });

  it.each([
    ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"].map((algorithm) => ({ algorithm, curve: undefined })),
    { algorithm: "ES256", curve: "P-256" },
    { algorithm: "ES384", curve: "P-384" },
    { algorithm: "ES512", curve: "P-521" },
    { algorithm: "EdDSA", curve: undefined },
  ])(
    "verifies $algorithm with a public key, and nothing signed with that key as a secret",
    async ({ algorithm, curve }) => {
      const { privateKey, publicKey } = pairFor(algorithm, curve);
      const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
      await using gateway = await startWith({}, { algorithm, public_key: pem });
      const claims = { key: "jacks-key" };
      expect((await gateway.get("/", bearer(tokenOf(claims, privateKey, algorithm)))).status).toBe(200);
      expect((await gateway.get("/", bearer(tokenOf(claims, pem)))).status).toBe(401);
      const other = pairFor(algorithm, curve).privateKey;
      expect((await gateway.get("/", bearer(tokenOf(claims, other, algorithm)))).status).toBe(401);
    },
  );

  it("refuses what is signed for a public key that is none", async () => {
    await using gateway = await startWith({}, { algorithm: "RS256", public_key: "none" });
    const { privateKey } = pairFor("RS256", undefined);
    const answer = await gateway.get("/", bearer(tokenOf({ key: "jacks-key" }, privateKey, "RS256")));
    expect(answer).toMatchObject({ status: 401, body: '{"message":"failed to verify jwt"}\n' });
  });

  it("wants the claims that it is told to want, and gives times their grace", async () => {
    const config = { claims_to_verify: ["exp"], key_claim_name: "iss" };
    await using gateway = await startWith(config, { lifetime_grace_period: 120 });
    const late = tokenOf({ iss: "jacks-key", exp: NOW - 60 }, SECRET);
    expect((await gateway.get("/", bearer(late))).status).toBe(200);
    expect((await gateway.get("/", bearer(tokenOf({ iss: "jacks-key" }, SECRET)))).status).toBe(401);
  });

  it("hides what it used when told to", async () => {
    await using gateway = await startWith({ hide_credentials: true });
    await gateway.get("/", bearer(GOOD));
    expect((await gateway.upstream.request()).headers["authorization"]).toBeUndefined();
    await gateway.get(`/a?x=1&jwt=${GOOD}&y=%20`, { cookie: "jwt=other" });
    const second = await gateway.upstream.request(2);
    expect([second.url, second.headers["cookie"]]).toEqual(["/a?x=1&y=%20", "jwt=other"]);
    await gateway.get("/", { cookie: `a=b; jwt=${GOOD}; c=d` });
    expect((await gateway.upstream.request(3)).headers["cookie"]).toBe("a=b; c=d");
    await gateway.get("/", { cookie: `jwt=${GOOD}` });
    expect((await gateway.upstream.request(4)).headers["cookie"]).toBeUndefined();
  });

  it("finds and hides a token in a field that is configured in another case", async () => {
    await using gateway = await startWith({ header: "X-Token", hide_credentials: true });
    expect((await gateway.get("/", { "x-token": GOOD })).status).toBe(200);
    expect((await gateway.upstream.request()).headers).not.toHaveProperty("x-token");
  });

  it("leaves the claims to other plugins when told to", async () => {
    const tellClaims = definePlugin({
      name: "tell-claims",
      version: 0.1,
      priority: 1,
      schema: z.looseObject({}),
      setup: () => ({
        access: ({ variables }) => ({
          kind: "reply",
          status: 200,
          body: { claims: variables.get("jwt_auth_payload") ?? null },
        }),
      }),
    });
    const route = (config: object) => ({ uri: "/*", plugins: { "jwt-auth": config, "tell-claims": {} } });
    await using gateway = await runGateway({
      plugins: [jwtAuth, tellClaims],
      routes: { 1: route({ store_in_ctx: true }) },
      consumers: { jack: { plugins: { "jwt-auth": { key: "jacks-key", secret: SECRET } } } },
    });
    expect((await gateway.get("/", bearer(GOOD))).body).toBe('{"claims":{"key":"jacks-key"}}\n');
    await gateway.put("routes/1", route({}));
    expect((await gateway.get("/", bearer(GOOD))).body).toBe('{"claims":null}\n');
  });

  it("lets the anonymous consumer in, and nobody when there is none of that name", async () => {
    await using gateway = await startWith({ anonymous_consumer: "guest" });
    expect((await gateway.get("/", bearer("wrong"))).status).toBe(200);
    expect((await gateway.upstream.request()).headers["x-consumer-username"]).toBe("guest");
    await gateway.put("routes/1", { uri: "/*", plugins: { "jwt-auth": { anonymous_consumer: "absent" } } });
    expect(await gateway.get("/")).toMatchObject({ status: 401, body: '{"message":"Invalid user authorization"}\n' });
  });
});

function pairFor(algorithm: string, namedCurve: string | undefined) {
  if (namedCurve !== undefined) return generateKeyPairSync("ec", { namedCurve });
  return algorithm === "EdDSA" ? generateKeyPairSync("ed25519") : generateKeyPairSync("rsa", { modulusLength: 2048 });
}
