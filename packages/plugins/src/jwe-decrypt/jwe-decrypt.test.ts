import { describePlugin, runGateway } from "@fngate/plugin-kit/testing";
import { CompactEncrypt } from "jose";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { jweDecryptConsumerSchema } from "./consumer-schema.ts";
import { jweDecrypt } from "./index.ts";
import { jweDecryptSchema } from "./schema.ts";

const SECRET = "12345678901234567890123456789012";

describePlugin(jweDecrypt, {
  folder: import.meta.dirname,
  config: {},
  consumerConfig: { key: "key-of-jack", secret: "secret-of-jack-in-just-32-chars!" },
  // Encrypted with nothing: {"alg":"dir","enc":"A256GCM","kid":"k"} and texts in place of the rest.
  request: { headers: ["Authorization", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiayJ9..aXZpdg.dGV4dA.dGFn"] },
});

describeSchema(jweDecryptSchema, {
  defaults: [{}, { header: "Authorization", forward_header: "Authorization", strict: true }],
  accepts: [{ header: "x", forward_header: "y", strict: false, other: 1 }],
  refuses: [
    [{ header: 1 }, "header"],
    [{ strict: "yes" }, "strict"],
  ],
});

describe("configuration in consumers", () => {
  describeSchema(jweDecryptConsumerSchema, {
    defaults: [
      { key: "k", secret: SECRET },
      { key: "k", secret: SECRET },
    ],
    accepts: [
      { key: "k", secret: Buffer.from(SECRET).toString("base64"), is_base64_encoded: true },
      { key: "k", secret: "$secret://vault/1/a" },
    ],
    refuses: [
      [{ key: 123, secret: SECRET }, "key"],
      [{ key: "k", secret: 1 }, "secret"],
      [{ key: "k", secret: `${SECRET}3` }, "the secret length should be 32 chars"],
      [
        { key: "k", secret: SECRET, is_base64_encoded: true },
        "the secret length after base64 decode should be 32 chars",
      ],
    ],
  });
});

/** A token as RFC 7516 wants it. */
function encrypt(text: string, { kid = "jack-key", secret = SECRET } = {}): Promise<string> {
  return new CompactEncrypt(Buffer.from(text))
    .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid })
    .encrypt(Buffer.from(secret));
}

/** Made for APISIX with {@link SECRET}: `hello`. */
const UNBOUND =
  "eyJraWQiOiJ1c2VyLWtleSIsImFsZyI6ImRpciIsImVuYyI6IkEyNTZHQ00ifQ..MTIzNDU2Nzg5MDEy.6JeRgm0.rNt131nG5wMvUD1KXbwLGA";

function startWith(config: object = {}) {
  return runGateway({
    plugins: [jweDecrypt],
    routes: { 1: { uri: "/*", plugins: { "jwe-decrypt": config } } },
    consumers: {
      jack: { plugins: { "jwe-decrypt": { key: "jack-key", secret: SECRET } } },
      user: {
        plugins: {
          "jwe-decrypt": {
            key: "user-key",
            secret: Buffer.from(SECRET).toString("base64url"),
            is_base64_encoded: true,
          },
        },
      },
    },
  });
}

describe("jwe-decrypt", () => {
  it.each([
    { name: "after Bearer", token: async () => `Bearer ${await encrypt("hello")}` },
    { name: "alone", token: () => encrypt("hello") },
    { name: "made for APISIX", token: async () => `bearer ${UNBOUND}` },
  ])("passes on what was in a token $name", async ({ token }) => {
    await using gateway = await startWith();
    expect((await gateway.get("/", { authorization: await token() })).status).toBe(200);
    expect((await gateway.upstream.request()).headers["authorization"]).toBe("hello");
  });

  it("reads from one field and writes to another", async () => {
    await using gateway = await startWith({ header: "X-Token", forward_header: "X-Text" });
    await gateway.get("/", { "x-token": await encrypt("Grüße"), "x-text": "forged" });
    const text = (await gateway.upstream.request()).headers["x-text"];
    expect(Buffer.from(String(text), "latin1").toString()).toBe("Grüße");
  });

  it.each([
    { name: "no token", token: async () => undefined, status: 403, message: "missing JWE token in request" },
    { name: "four parts", token: async () => "a.b.c.d", status: 400, message: "JWE token invalid" },
    { name: "no JSON", token: async () => `x${UNBOUND}`, status: 400, message: "JWE token invalid" },
    { name: "no key", token: async () => "e30..a.b.c", status: 400, message: "missing kid in JWE token" },
    {
      name: "an unknown key",
      token: () => encrypt("hello", { kid: "nobody" }),
      status: 400,
      message: "invalid kid in JWE token",
    },
    {
      name: "another secret",
      token: () => encrypt("hello", { secret: [...SECRET].reverse().join("") }),
      status: 400,
      message: "failed to decrypt JWE token",
    },
    {
      name: "a shortened tag",
      token: async () => UNBOUND.slice(0, -16),
      status: 400,
      message: "failed to decrypt JWE token",
    },
    {
      name: "text with line breaks",
      token: () => encrypt("a\r\nx-admin: 1"),
      status: 400,
      message: "failed to decrypt JWE token",
    },
  ])("refuses $name", async ({ token, status, message }) => {
    await using gateway = await startWith();
    const authorization = await token();
    const answer = await gateway.get("/", authorization === undefined ? {} : { authorization });
    expect(answer).toMatchObject({ status, body: `{"message":"${message}"}\n` });
    expect(gateway.upstream.requests).toEqual([]);
    expect(JSON.stringify(gateway.lines)).not.toContain(SECRET);
  });

  it("lets requests without a token through when it is not strict", async () => {
    await using gateway = await startWith({ strict: false });
    expect((await gateway.get("/")).status).toBe(200);
  });
});
