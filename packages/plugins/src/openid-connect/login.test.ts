import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Browser } from "../testing/browser.ts";
import { logInAtProvider } from "../testing/openid-provider.ts";
import { decodeIdentity, openScene } from "../testing/openid-scene.ts";

describe("a login at a real OpenID provider", () => {
  it("leads to what was asked for, and tells the upstream who it is", async () => {
    await using scene = await openScene({ set_refresh_token_header: true, set_raw_id_token_header: true });
    const first = await scene.visit("/a/page?x=1");
    expect(first.status).toBe(302);
    const sent = new URL(first.headers.get("location") ?? "");
    expect(sent.origin).toBe(scene.provider.issuer);
    expect(Object.fromEntries(sent.searchParams)).toMatchObject({
      client_id: "gateway",
      response_type: "code",
      scope: "openid profile",
      redirect_uri: `${scene.origin}/callback`,
    });
    expect(sent.searchParams.has("code_challenge") || sent.searchParams.has("nonce")).toBe(false);
    expect(scene.gateway.upstream.requests).toEqual([]);

    const page = await logInAtProvider(scene.browser, first);
    expect([page.url, page.status]).toEqual([`${scene.origin}/a/page?x=1`, 200]);
    const { headers } = await scene.gateway.upstream.request();
    expect(decodeIdentity(headers["x-userinfo"])).toMatchObject({ sub: "jack", name: "jack ééé" });
    expect(decodeIdentity(headers["x-id-token"])).toMatchObject({
      sub: "jack",
      aud: "gateway",
      iss: scene.provider.issuer,
    });
    for (const name of ["x-access-token", "x-refresh-token", "x-raw-id-token"]) expect(headers[name]).toMatch(/^\S+$/);
    expect(headers).not.toHaveProperty("cookie");
  });

  it("is asked for once; the session goes on without the provider", async () => {
    await using scene = await openScene();
    await scene.logIn("/");
    const visits = new Map(scene.provider.visits);
    const forged = { "x-userinfo": "forged", "x-refresh-token": "forged", cookie: "" };
    expect((await scene.visit("/again", forged)).status).toBe(200);
    expect(scene.provider.visits).toEqual(visits);
    const { headers } = scene.gateway.upstream.requests.at(-1) ?? {};
    expect(decodeIdentity(headers?.["x-userinfo"])).toMatchObject({ sub: "jack" });
    expect(headers).not.toHaveProperty("x-refresh-token");
  });

  it("is bound to the browser with PKCE and nonce", async () => {
    await using scene = await openScene(
      { use_pkce: true, use_nonce: true, client_secret: undefined },
      {},
      {
        token_endpoint_auth_method: "none",
        client_secret: undefined,
      },
    );
    const first = await scene.visit("/");
    const { searchParams } = new URL(first.headers.get("location") ?? "");
    expect(searchParams.get("code_challenge_method")).toBe("S256");
    expect(searchParams.get("nonce")).toMatch(/^.{20,}$/);
    expect((await logInAtProvider(scene.browser, first)).status).toBe(200);
  });

  it.each([
    { name: "in the form of the request", config: { token_endpoint_auth_method: "client_secret_post" } },
    { name: "by a signature with the secret", config: { token_endpoint_auth_method: "client_secret_jwt" } },
    { name: "in a pushed request", config: { par: { enabled: true } } },
  ])("works with a client that says who it is $name", async ({ config }) => {
    const secret = "a-long-secret-for-signatures-of-the-client";
    const method = config.token_endpoint_auth_method ?? "client_secret_basic";
    await using scene = await openScene(
      { ...config, client_secret: secret },
      {},
      {
        client_secret: secret,
        token_endpoint_auth_method: method,
      },
    );
    expect((await scene.logIn("/")).status).toBe(200);
  });

  it("works with a client that signs with a key of its own, and binds its tokens to another", async () => {
    const [signing, proving] = ["P-256", "P-256"].map((namedCurve) => generateKeyPairSync("ec", { namedCurve }));
    const pem = (key: KeyObject) => String(key.export({ type: "pkcs8", format: "pem" }));
    const publicJwk = { ...signing?.publicKey.export({ format: "jwk" }), kid: "own", alg: "ES256", use: "sig" };
    await using scene = await openScene(
      {
        client_secret: undefined,
        token_endpoint_auth_method: "private_key_jwt",
        client_rsa_private_key: pem(signing?.privateKey as KeyObject),
        client_rsa_private_key_id: "own",
        client_jwt_assertion_alg: "ES256",
        par: { enabled: true, endpoint_auth_method: "private_key_jwt" },
        dpop: {
          enabled: true,
          private_key: pem(proving?.privateKey as KeyObject),
          public_jwk: proving?.publicKey.export({ format: "jwk" }),
        },
      },
      {},
      {
        client_secret: undefined,
        token_endpoint_auth_method: "private_key_jwt",
        token_endpoint_auth_signing_alg: "ES256",
        dpop_bound_access_tokens: true,
        jwks: { keys: [publicJwk] },
      },
    );
    expect((await scene.logIn("/")).status).toBe(200);
    const { headers } = await scene.gateway.upstream.request();
    expect(decodeIdentity(headers["x-userinfo"])).toMatchObject({ sub: "jack" });
  });

  it("takes ID tokens that are signed with the client's secret", async () => {
    const secret = "a-long-secret-for-signatures-of-the-client";
    const client = { client_secret: secret, id_token_signed_response_alg: "HS256" };
    await using scene = await openScene({ client_secret: secret }, {}, client);
    expect((await scene.logIn("/")).status).toBe(200);
    const { headers } = await scene.gateway.upstream.request();
    expect(decodeIdentity(headers["x-id-token"])).toMatchObject({ sub: "jack" });
  });

  it("takes no ID token whose signature does not hold", async () => {
    await using scene = await openScene();
    const answer = await scene.answerOf("/");
    // From now on the provider publishes another key than the one that it signs with.
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    scene.provider.replaceKeys([{ ...publicKey.export({ format: "jwk" }), kid: "test", alg: "RS256", use: "sig" }]);
    expect((await scene.browser.visit(answer)).status).toBe(500);
    expect(JSON.stringify(scene.gateway.lines)).toContain("signature verification failed");
  });

  it("comes back below the page itself when no address is configured", async () => {
    await using scene = await openScene({ redirect_uri: undefined });
    const page = await scene.logIn("/a/page");
    expect([page.url, page.status]).toEqual([`${scene.origin}/a/page`, 200]);
  });

  it("comes back to where a trusted proxy was asked", async () => {
    await using scene = await openScene({}, { options: { trustedAddresses: ["127.0.0.1"] } });
    const redirectUri = async (headers: Readonly<Record<string, string>>) =>
      new URL((await scene.visit("/", headers)).headers.get("location") ?? "").searchParams.get("redirect_uri");
    const named = { "x-forwarded-host": "a.test", "x-forwarded-proto": "https" };
    expect(await redirectUri(named)).toBe("https://a.test/callback");
    const both = { ...named, forwarded: 'for=1.2.3.4;host="b.test:444";proto=http, host=c.test' };
    expect(await redirectUri(both)).toBe("http://b.test:444/callback");
  });

  it("works in two windows at once", async () => {
    await using scene = await openScene();
    const [one, two] = [await scene.visit("/one"), await scene.visit("/two")];
    const there = [await logInAtProvider(scene.browser, one), await logInAtProvider(scene.browser, two)];
    expect(there.map(({ status, url }) => [url, status])).toEqual([
      [`${scene.origin}/one`, 200],
      [`${scene.origin}/two`, 200],
    ]);
  });

  it("never leads to another host", async () => {
    await using scene = await openScene();
    const page = await scene.logIn("//evil.test/path");
    expect(page.url).toBe(`${scene.origin}/evil.test/path`);
  });
});

describe("what comes back from the provider", () => {
  it("is of no use in another browser", async () => {
    await using scene = await openScene();
    const answer = await scene.answerOf("/mine");
    const victim = new Browser();
    expect((await victim.visit(answer)).status).toBe(500);
    await victim.visit(`${scene.origin}/theirs`);
    const sentBack = await victim.visit(answer);
    expect([sentBack.status, sentBack.headers.get("location")]).toEqual([302, "/theirs"]);
    expect((await victim.visit(`${scene.origin}/`)).status).toBe(302);
  });

  it("is of use once", async () => {
    await using scene = await openScene();
    const answer = await scene.answerOf("/mine");
    expect((await scene.browser.visit(answer)).status).toBe(302);
    expect((await scene.browser.visit(answer)).status).toBe(500);
  });

  it.each([
    { name: "a refusal", query: "error=access_denied", statuses: [500] },
    { name: "a code that it never gave", query: "code=dummy", statuses: [500] },
    { name: "nothing", query: "x=1", statuses: [500] },
    {
      name: "passing trouble, three times",
      query: "error=temporarily_unavailable",
      statuses: [302, 302, 302, 500, 500],
    },
  ])("may be $name", async ({ query, statuses }) => {
    await using scene = await openScene();
    const first = await scene.visit("/page?x=1");
    const state = new URL(first.headers.get("location") ?? "").searchParams.get("state");
    const seen: number[] = [];
    for (const _ of statuses) {
      const page = await scene.visit(`/callback?${query}&state=${state}`);
      seen.push(page.status);
      if (page.status === 302) expect(page.headers.get("location")).toBe("/page?x=1");
    }
    expect(seen).toEqual(statuses);
    const reasons = scene.gateway.lines.filter(({ message }) => message === "a login begins again");
    const reason = "the provider is temporarily unavailable";
    expect(reasons.map(({ fields }) => fields["reason"])).toEqual(
      statuses.filter((status) => status === 302).map(() => reason),
    );
  });

  it("must not be forged", async () => {
    await using scene = await openScene();
    await scene.visit("/page");
    expect((await scene.visit("/callback?error=temporarily_unavailable&state=forged")).status).toBe(500);
    const page = await scene.visit("/callback?code=dummy&state=forged");
    expect([page.status, page.headers.get("location")]).toEqual([302, "/page"]);
    const { browser, origin } = scene;
    expect((await browser.visit(`${origin}/callback?code=dummy&state=forged`, { form: {} })).status).toBe(500);
  });
});

describe("requests of nobody", () => {
  it.each([
    { action: "deny", status: 401 },
    { action: "pass", status: 200 },
  ])("get $status under $action", async ({ action, status }) => {
    await using scene = await openScene({ unauth_action: action });
    const page = await scene.visit("/", { "x-userinfo": "forged", "x-access-token": "forged" });
    expect(page.status).toBe(status);
    for (const { headers } of scene.gateway.upstream.requests) {
      expect(headers).not.toHaveProperty("x-userinfo");
      expect(headers).not.toHaveProperty("x-access-token");
    }
  });

  it("get 500 while the provider cannot be asked", async () => {
    await using scene = await openScene({ discovery: "http://127.0.0.1:1/", timeout: 1 });
    expect((await scene.visit("/")).status).toBe(500);
    expect((await scene.visit("/logout")).status).toBe(503);
  });
});
