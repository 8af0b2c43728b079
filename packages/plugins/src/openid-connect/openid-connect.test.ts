import { generateKeyPairSync } from "node:crypto";
import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { openidConnect } from "./index.ts";
import { openidConnectSchema } from "./schema.ts";

const session = { secret: "jwcE5v3pM9VhqLxmxFOH9uZaLo8u7KQK" };
const minimal = { client_id: "a", client_secret: "b", discovery: "http://127.0.0.1:1/c", session };
const bearer = { client_id: "a", discovery: "c", bearer_only: true };

describePlugin(openidConnect, {
  folder: import.meta.dirname,
  config: {
    ...minimal,
    client_secret: "secret-of-the-client",
    client_rsa_private_key: "key-of-the-client",
    dpop: { private_key: "key-of-proofs" },
    session: { secret: "secret-of-the-sessions", redis: { password: "password-of-redis" } },
  },
});

const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pemOf = (pair: typeof ec) => String(pair.privateKey.export({ type: "pkcs8", format: "pem" }));
const jwkOf = (pair: typeof ec) => ({ ...pair.publicKey.export({ format: "jwk" }) });
const dpop = (fields: object) => ({ ...minimal, dpop: { enabled: true, private_key: pemOf(ec), ...fields } });
const signed = { ...minimal, token_endpoint_auth_method: "private_key_jwt", client_rsa_private_key: pemOf(rsa) };

describeSchema(openidConnectSchema, {
  defaults: [
    minimal,
    {
      ...minimal,
      scope: "openid",
      ssl_verify: true,
      timeout: 3,
      token_endpoint_auth_method: "client_secret_basic",
      introspection_endpoint_auth_method: "client_secret_basic",
      client_jwt_assertion_expires_in: 60,
      bearer_only: false,
      use_jwks: false,
      realm: "apisix",
      introspection_interval: 0,
      iat_slack: 120,
      jwk_expires_in: 86_400,
      unauth_action: "auth",
      logout_path: "/logout",
      revoke_tokens_on_logout: false,
      use_pkce: false,
      use_nonce: false,
      session: { ...session, storage: "cookie" },
      renew_access_token_on_expiry: true,
      access_token_expires_leeway: 0,
      set_access_token_header: true,
      access_token_in_authorization_header: false,
      set_id_token_header: true,
      set_raw_id_token_header: false,
      set_userinfo_header: true,
      set_refresh_token_header: false,
      accept_none_alg: false,
      accept_unsupported_alg: true,
      force_reauthorize: false,
      jwt_verification_cache_ignore: false,
    },
  ],
  accepts: [
    { ...bearer, public_key: "k" },
    { ...bearer, use_jwks: true },
    { ...bearer, introspection_endpoint_auth_method: "private_key_jwt" },
    { client_id: "a", discovery: "c", use_pkce: true, session },
    { ...minimal, session: { ...session, cookie_same_site: "None", cookie: { lifetime: 5 } } },
    dpop({ public_jwk: jwkOf(ec) }),
    dpop({ private_key: "$env://KEY", public_jwk: jwkOf(ec) }),
    { ...signed, client_jwt_assertion_alg: "RS512" },
    { ...minimal, par: { enabled: true, endpoint: "e", endpoint_auth_method: "client_secret_jwt" } },
    { ...minimal, claim_schema: { type: "object" }, claim_validator: { audience: { required: true } } },
  ],
  refuses: [
    [{}, 'property "session.secret" is required when "bearer_only" is false'],
    [{ session }, 'property "client_secret" is required'],
    [bearer, 'property "client_secret" is required'],
    [{ ...bearer, token_endpoint_auth_method: "private_key_jwt" }, 'property "client_secret" is required'],
    [
      { ...minimal, client_secret: undefined, introspection_endpoint_auth_method: "private_key_jwt" },
      'property "client_secret" is required',
    ],
    [{ client_secret: "b", session }, "client_id"],
    [{ ...minimal, client_id: 123 }, "client_id"],
    [{ ...minimal, session: { secret: "short" } }, "session.secret"],
    [{ ...minimal, session: { ...session, other: 1 } }, "session"],
    [{ ...minimal, session: { ...session, cookie_same_site: "none" } }, "session.cookie_same_site"],
    [{ ...minimal, session: { ...session, storage: "redis" } }, "session"],
    [{ ...minimal, unauth_action: "deny it" }, "unauth_action"],
    [{ ...minimal, introspection_addon_headers: ["a:b"] }, "introspection_addon_headers.0"],
    [{ ...minimal, use_dpop: true }, 'property "use_dpop" is not allowed, use "dpop.enabled" instead'],
    [{ ...minimal, dpop: { enabled: true } }, "dpop"],
    [dpop({ public_jwk: { ...jwkOf(ec), d: "x" } }), "dpop.public_jwk"],
    [dpop({ public_jwk: { kty: "OKP" } }), 'property "dpop.public_jwk" validation failed: kty "OKP" is not supported'],
    [
      dpop({ public_jwk: { kty: "EC", crv: "P-256", x: "a" } }),
      'property "dpop.public_jwk" validation failed: kty "EC" requires crv, x, y',
    ],
    [
      dpop({ public_jwk: { kty: "EC", crv: "P-256", x: "a", y: "" } }),
      'property "dpop.public_jwk" validation failed: "y" must be a non-empty string',
    ],
    [dpop({ public_jwk: jwkOf(rsa) }), 'property "dpop.signing_alg" "ES256" requires an EC "dpop.public_jwk"'],
    [
      dpop({ public_jwk: { ...jwkOf(ec), crv: "P-384" } }),
      'property "dpop.signing_alg" "ES256" requires "dpop.public_jwk" crv "P-256", got "P-384"',
    ],
    [
      dpop({ public_jwk: { ...jwkOf(ec), x: "other" } }),
      `property "dpop.public_jwk" is not the public key of "dpop.private_key": x is "${jwkOf(ec)["x"]}"`,
    ],
    [
      dpop({ private_key: String(ec.publicKey.export({ type: "spki", format: "pem" })), public_jwk: jwkOf(ec) }),
      'property "dpop.private_key" has no private key in it',
    ],
    [
      { ...signed, client_jwt_assertion_alg: "HS256" },
      'property "client_jwt_assertion_alg" "HS256" is symmetric and cannot be used with the private_key_jwt selected by "token_endpoint_auth_method"',
    ],
    [
      { ...minimal, token_endpoint_auth_method: "client_secret_jwt", client_jwt_assertion_alg: "RS256" },
      'property "client_jwt_assertion_alg" "RS256" is asymmetric and cannot be used with the client_secret_jwt selected by "token_endpoint_auth_method"',
    ],
    [
      {
        ...signed,
        client_jwt_assertion_alg: "RS256",
        introspection_endpoint: "i",
        introspection_endpoint_auth_method: "client_secret_jwt",
      },
      'property "client_jwt_assertion_alg" is a single algorithm, but "token_endpoint_auth_method" selects private_key_jwt and "introspection_endpoint_auth_method" selects client_secret_jwt',
    ],
    [
      { ...signed, client_jwt_assertion_alg: "ES256" },
      'property "client_jwt_assertion_alg" "ES256" requires an EC "client_rsa_private_key"',
    ],
    [
      { ...signed, client_rsa_private_key: pemOf(ec), client_jwt_assertion_alg: "ES512" },
      'property "client_jwt_assertion_alg" "ES512" requires a "client_rsa_private_key" on curve "P-521", got "P-256"',
    ],
    [
      { ...minimal, par: { enabled: true, endpoint_auth_method: "private_key_jwt" } },
      'property "par.endpoint_auth_method" "private_key_jwt" requires "client_rsa_private_key" when "par.enabled" is true',
    ],
  ],
});

describe("the schema", () => {
  it("takes `no` for `ssl_verify`, as older configurations have it", () => {
    expect(openidConnectSchema.parse({ ...minimal, ssl_verify: "no" })).toMatchObject({ ssl_verify: false });
  });

  it("refuses a schema of claims that is none", () => {
    const [issue] = openidConnectSchema.safeParse({ ...minimal, claim_schema: { type: 1 } }).error?.issues ?? [];
    expect(issue?.message).toMatch(/^check claim_schema failed: /);
  });
});
