import { generateKeyPairSync } from "node:crypto";
import { type RunningGateway, runGateway } from "@fngate/data-plane/testing";
import type { PluginDefinition } from "@fngate/plugin-kit";
import { startEchoUpstream } from "@fngate/test-kit";
import { SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { type OpenidProvider, RESOURCE, startOpenidProvider } from "../testing/openid-provider.ts";
import { openidConnect } from "./index.ts";

const SERVICE = { client_id: "service", client_secret: "services-secret" };
const GATEWAY = { client_id: "gateway", client_secret: "gateways-secret", bearer_only: true };

async function startProvider(): Promise<OpenidProvider> {
  const provider = await startOpenidProvider();
  const machine = { grant_types: ["client_credentials"], redirect_uris: [], response_types: [] };
  const { client_id, client_secret } = GATEWAY;
  provider.configure([
    { ...SERVICE, ...machine },
    { client_id, client_secret, ...machine },
  ]);
  return provider;
}

/** A token of the service's: a JWT for a resource, else one that only the provider can read. */
async function tokenOf(provider: OpenidProvider, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const { client_id: id, client_secret: secret } = SERVICE;
  const answer = await fetch(`${provider.issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` },
    body: new URLSearchParams({ grant_type: "client_credentials", ...more }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return token;
}

function gatewayWith(config: object): Promise<RunningGateway> {
  return runGateway({
    plugins: [openidConnect as PluginDefinition],
    routes: { 1: { uri: "/*", plugins: { "openid-connect": { ...GATEWAY, ...config } } } },
  });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const decode = (value: unknown) => JSON.parse(Buffer.from(String(value), "base64").toString());

describe("a token that only the provider can read", () => {
  it("is asked about, once until it expires", async () => {
    await using provider = await startProvider();
    await using gateway = await gatewayWith({ discovery: provider.discovery });
    const token = await tokenOf(provider);
    const headers = { ...bearer(token), "x-access-token": "forged", "x-userinfo": "forged" };
    expect((await gateway.get("/", headers)).status).toBe(200);
    const received = (await gateway.upstream.request()).headers;
    expect(received["x-access-token"]).toBe(token);
    expect(decode(received["x-userinfo"])).toMatchObject({ active: true, client_id: "service" });
    expect((await gateway.get("/", headers)).status).toBe(200);
    expect(provider.visits.get("/token/introspection")).toBe(1);
  });

  it("may come in X-Access-Token", async () => {
    await using provider = await startProvider();
    await using gateway = await gatewayWith({ discovery: provider.discovery });
    expect((await gateway.get("/", { "x-access-token": await tokenOf(provider) })).status).toBe(200);
  });

  it("is refused when the provider does not know it, and never logged", async () => {
    await using provider = await startProvider();
    await using gateway = await gatewayWith({ discovery: provider.discovery });
    const answer = await gateway.get("/", bearer("no-token-of-anybody"));
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toBe(
      'Bearer realm="apisix", error="invalid_token", error_description="invalid token"',
    );
    expect(JSON.stringify(gateway.lines)).not.toMatch(/no-token-of-anybody|gateways-secret/);
  });

  it("is asked about where the configuration says, with fields of the request", async () => {
    const body = { active: true, scope: "a b", exp: Date.now() };
    await using server = await startEchoUpstream({ reply: { body } });
    await using gateway = await gatewayWith({
      discovery: "http://127.0.0.1:1/",
      introspection_endpoint: `http://127.0.0.1:${server.port}/ask`,
      introspection_endpoint_auth_method: "client_secret_post",
      introspection_addon_headers: ["X-Tenant", "X-Absent"],
      required_scopes: ["b"],
    });
    for (const tenant of ["1", "2"]) {
      expect((await gateway.get("/", { ...bearer("t"), "x-tenant": tenant })).status).toBe(200);
    }
    expect(server.requests.map(({ headers, url }) => [url, headers["x-tenant"]])).toEqual([
      ["/ask", "1"],
      ["/ask", "2"],
    ]);
    const form = Object.fromEntries(new URLSearchParams(String(server.requests[0]?.body)));
    expect(form).toMatchObject({ token: "t", client_id: "gateway", client_secret: "gateways-secret" });
  });

  it("is asked about with the client's name as it is", async () => {
    await using server = await startEchoUpstream({ reply: { body: { active: true } } });
    const named = {
      client_id: "my_client-1",
      client_secret: "p:ä ü",
      introspection_endpoint: `http://127.0.0.1:${server.port}/`,
    };
    await using gateway = await gatewayWith({ discovery: "http://127.0.0.1:1/", ...named });
    expect((await gateway.get("/", bearer("t"))).status).toBe(200);
    const [, credentials = ""] = server.requests[0]?.headers.authorization?.split(" ") ?? [];
    expect(Buffer.from(credentials, "base64").toString()).toBe("my_client-1:p%3A%C3%A4+%C3%BC");
  });

  it("is refused while nobody can be asked", async () => {
    await using gateway = await gatewayWith({ discovery: "http://127.0.0.1:1/", timeout: 1 });
    const answer = await gateway.get("/", bearer("t"));
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toContain('error_description="token validation unavailable"');
  });
});

describe("a token in the form of a JWT", () => {
  it("is verified with the provider's keys, without asking about it", async () => {
    await using provider = await startProvider();
    await using gateway = await gatewayWith({ discovery: provider.discovery, use_jwks: true });
    const token = await tokenOf(provider, { resource: RESOURCE, scope: "read" });
    for (const path of ["/1", "/2"]) expect((await gateway.get(path, bearer(token))).status).toBe(200);
    const { headers } = await gateway.upstream.request();
    expect(decode(headers["x-userinfo"])).toMatchObject({ client_id: "service", aud: RESOURCE, scope: "read" });
    expect([provider.visits.get("/jwks"), provider.visits.get("/token/introspection")]).toEqual([1, undefined]);
  });

  it.each([
    { config: { required_scopes: ["read"] }, status: 200 },
    { config: { required_scopes: ["read", "write"] }, status: 403, body: "required scopes read, write not present" },
    { config: { claim_validator: { audience: { required: true } } }, status: 200 },
    {
      config: { claim_validator: { audience: { claim: "for", required: true } } },
      status: 403,
      body: "required audience claim not present",
    },
    {
      config: { claim_validator: { audience: { match_with_client_id: true } } },
      status: 403,
      body: "mismatched audience",
    },
    {
      config: {
        claim_validator: { audience: { claim: "client_id", match_with_client_id: true } },
        client_id: "service",
      },
      status: 200,
    },
    { config: { claim_validator: { issuer: { valid_issuers: ["http://other"] } } }, status: 401 },
    { config: { claim_schema: { required: ["scope"] } }, status: 200 },
    { config: { claim_schema: { required: ["email"] } }, status: 401 },
    { config: { token_signing_alg_values_expected: "ES256" }, status: 401 },
  ])("answers $status under $config", async ({ body, config, status }) => {
    await using provider = await startProvider();
    await using gateway = await gatewayWith({ discovery: provider.discovery, use_jwks: true, ...config });
    const token = await tokenOf(provider, { resource: RESOURCE, scope: "read" });
    const answer = await gateway.get("/", bearer(token));
    expect(answer.status).toBe(status);
    if (body !== undefined) expect(answer.body).toBe(JSON.stringify({ error: body }));
  });

  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const publicKey = String(pair.publicKey.export({ type: "spki", format: "pem" }));
  const issuer = { claim_validator: { issuer: { valid_issuers: ["http://issuer"] } } };
  const local = { discovery: "http://127.0.0.1:1/", public_key: publicKey, ...issuer };
  const sign = (claims: Readonly<Record<string, unknown>>) =>
    new SignJWT({ iss: "http://issuer", ...claims }).setProtectedHeader({ alg: "RS256" }).sign(pair.privateKey);
  const now = Math.floor(Date.now() / 1000);

  it.each([
    { name: "a key of the configuration", token: () => sign({}), status: 200 },
    { name: "an end within the slack", token: () => sign({ exp: now - 60 }), status: 200 },
    { name: "an end in the past", token: () => sign({ exp: now - 180 }), status: 401 },
    { name: "another issuer", token: () => sign({ iss: "http://other" }), status: 401 },
    { name: "no issuer", token: () => sign({ iss: undefined }), status: 401 },
    { name: "no signature", token: async () => `${(await sign({})).split(".").slice(0, 2).join(".")}.`, status: 401 },
    {
      name: "the public key as a shared secret",
      token: () =>
        new SignJWT({ iss: "http://issuer" }).setProtectedHeader({ alg: "HS256" }).sign(Buffer.from(publicKey)),
      status: 401,
    },
    { name: "no form at all", token: async () => "abc", status: 401 },
  ])("with $name gets $status", async ({ token, status }) => {
    await using gateway = await gatewayWith(local);
    expect((await gateway.get("/", bearer(await token()))).status).toBe(status);
  });

  it("is refused when nobody can say who its issuer is to be", async () => {
    await using gateway = await gatewayWith({ ...local, claim_validator: undefined });
    const answer = await gateway.get("/", bearer(await sign({})));
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toContain('error_description="issuer validation unavailable"');
  });

  it("goes on in Authorization when told to", async () => {
    await using gateway = await gatewayWith({ ...local, access_token_in_authorization_header: true });
    const token = await sign({});
    await gateway.get("/", { "x-access-token": token });
    const { headers } = await gateway.upstream.request();
    expect(headers["authorization"]).toBe(`Bearer ${token}`);
    expect(headers).not.toHaveProperty("x-access-token");
  });

  it("counts on a route for browsers, too", async () => {
    const session = { secret: "a-secret-for-sessions-of-the-test" };
    await using gateway = await gatewayWith({ ...local, bearer_only: false, unauth_action: "deny", session });
    expect((await gateway.get("/", bearer(await sign({})))).status).toBe(200);
    expect((await gateway.get("/")).status).toBe(401);
  });
});

describe("requests without a token", () => {
  it.each([
    { headers: {}, status: 401, challenge: 'Bearer realm="mine"' },
    { headers: { authorization: "Basic abc" }, status: 401, challenge: 'Bearer realm="mine"' },
    { headers: { authorization: "foo" }, status: 400, challenge: undefined },
  ])("get $status with $headers", async ({ challenge, headers, status }) => {
    await using gateway = await gatewayWith({ discovery: "http://127.0.0.1:1/", realm: "mine" });
    const answer = await gateway.get("/", headers);
    expect([answer.status, answer.headers["www-authenticate"]]).toEqual([status, challenge]);
  });
});
