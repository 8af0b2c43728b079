import { z } from "zod";
import { keyProblem, missingSecret } from "./config-problems.ts";
import { dpopSchema, parSchema, proxyOptionsSchema } from "./key-schema.ts";
import { sessionSchema } from "./session-schema.ts";

const flag = (fallback: boolean, text: string) => z.boolean().default(fallback).describe(text);
const seconds = (fallback: number, text: string) => z.int().default(fallback).describe(text);

const claimValidator = z.looseObject({
  issuer: z
    .looseObject({ valid_issuers: z.array(z.string()).optional().describe("Absent: the provider's own.") })
    .optional()
    .describe("Who may have issued a token."),
  audience: z
    .looseObject({
      claim: z.string().default("aud").describe("Claim that says whom a token is for."),
      required: flag(false, "Whether it has to be there."),
      match_with_client_id: flag(false, "Whether it has to name `client_id`."),
    })
    .optional()
    .describe("Whom a token has to be for."),
});

/** Who the client is, and where the provider is. */
const clientFields = {
  client_id: z.string().describe("Name of the client at the provider."),
  client_secret: z.string().optional().describe("Secret of the client."),
  discovery: z.string().describe("Address of the provider's discovery document."),
  scope: z.string().default("openid").describe("Scopes that are asked for."),
  ssl_verify: flag(true, "Whether the provider's certificate is verified."),
  timeout: z.int().min(1).default(3).describe("Seconds to wait for the provider; whole thousands are milliseconds."),
  proxy_opts: proxyOptionsSchema.optional().describe("Taken, and not used."),
  token_endpoint_auth_method: z
    .string()
    .default("client_secret_basic")
    .describe("How the client says at the token endpoint who it is."),
  introspection_endpoint: z.string().optional().describe("Absent: as the provider says."),
  introspection_endpoint_auth_method: z
    .string()
    .default("client_secret_basic")
    .describe("How it says so at the introspection endpoint."),
  client_rsa_private_key: z.string().optional().describe("Private key, PEM, for `private_key_jwt`."),
  client_rsa_private_key_id: z.string().optional().describe("Its `kid`."),
  client_jwt_assertion_expires_in: seconds(60, "Lifetime of what is signed with it."),
  client_jwt_assertion_alg: z
    .enum(["HS256", "HS512", "RS256", "RS512", "ES256", "ES512"])
    .optional()
    .describe("Algorithm that it is signed with; absent: `RS256`, or `HS256` with a secret."),
  client_jwt_assertion_audience: z.string().optional().describe("Whom it is for; absent: the provider."),
};

/** Tokens that come with the request. */
const bearerFields = {
  bearer_only: flag(false, "Whether only tokens count that come with the request."),
  public_key: z.string().optional().describe("Public key, PEM, that such tokens are verified with."),
  use_jwks: flag(false, "Whether they are verified with the provider's keys, and not by asking it."),
  token_signing_alg_values_expected: z.string().optional().describe("The one algorithm they may be signed with."),
  realm: z.string().default("apisix").describe("Realm named in the `WWW-Authenticate` of a refusal."),
  required_scopes: z.array(z.string()).optional().describe("Scopes that a token or session has to have."),
  claim_validator: claimValidator.optional().describe("What the claims of a token are checked by."),
  claim_schema: z.looseObject({}).optional().describe("JSON Schema of claims, or of what a session holds."),
  introspection_interval: seconds(0, "Seconds that an answer about a token holds; 0: until the token expires."),
  introspection_expiry_claim: z.string().optional().describe("Member of it that says when; absent: `exp`."),
  introspection_addon_headers: z
    .array(z.string().regex(/^[^:]+$/))
    .min(1)
    .optional()
    .describe("Fields of the request that go along with the question."),
  iat_slack: seconds(120, "Seconds by which clocks may differ."),
  jwk_expires_in: seconds(86_400, "Seconds that the provider's keys are kept."),
};

/** Logging in and out. */
const loginFields = {
  unauth_action: z
    .enum(["auth", "deny", "pass"])
    .default("auth")
    .describe("What becomes of a request of nobody: it is sent to the provider, gets status 401, or goes on."),
  redirect_uri: z
    .string()
    .optional()
    .describe("Where the provider sends callers back to; absent: the path asked for with `/.apisix/redirect` behind."),
  logout_path: z.string().default("/logout").describe("Path that ends the session."),
  post_logout_redirect_uri: z.string().optional().describe("Where callers go after that."),
  revoke_tokens_on_logout: flag(false, "Whether the provider is told to forget the tokens then."),
  use_pkce: flag(false, "Whether a code is bound to the browser that asked for it (RFC 7636)."),
  use_nonce: flag(false, "Whether an ID token is bound to it, too."),
  par: parSchema.optional().describe("Pushed authorization requests."),
  dpop: dpopSchema.optional().describe("Tokens that are bound to a key."),
  authorization_params: z.looseObject({}).optional().describe("Further arguments of the authorization request."),
  session: sessionSchema.optional().describe("How sessions are kept; needed unless `bearer_only`."),
  renew_access_token_on_expiry: flag(true, "Whether an expired access token is renewed in the background."),
  access_token_expires_in: z.int().optional().describe("Seconds after which one expires that does not say."),
  access_token_expires_leeway: seconds(0, "Seconds before its end in which one counts as expired."),
  refresh_session_interval: z.int().optional().describe("Seconds after which the provider is asked again who it is."),
};

/** What whoever is called is told. */
const identityFields = {
  set_access_token_header: flag(true, "Whether it gets the access token, in `X-Access-Token`."),
  access_token_in_authorization_header: flag(false, "Whether in `Authorization` instead."),
  set_id_token_header: flag(true, "Whether it gets the claims of the ID token, in `X-ID-Token`."),
  set_raw_id_token_header: flag(false, "Whether it gets the ID token itself, in `X-Raw-ID-Token`."),
  set_userinfo_header: flag(true, "Whether it gets what the provider tells of the caller, in `X-Userinfo`."),
  set_refresh_token_header: flag(false, "Whether it gets the refresh token, in `X-Refresh-Token`."),
};

/** Taken from configurations for APISIX; nothing depends on them here. */
const idleFields = {
  accept_none_alg: flag(false, "Taken, and not used."),
  accept_unsupported_alg: flag(true, "Taken, and not used."),
  force_reauthorize: flag(false, "Taken, and not used."),
  jwt_verification_cache_ignore: flag(false, "Taken, and not needed: every token is verified."),
  cache_segment: z.string().optional().describe("Taken, and not needed: nothing is shared."),
};

const fields = z.looseObject({ ...clientFields, ...bearerFields, ...loginFields, ...identityFields, ...idleFields });

/** Configuration of the plugin (APISIX: openid-connect); texts of the findings are APISIX's. */
export const openidConnectSchema = z.preprocess(
  (config, context) => {
    const message = missingSecret(config);
    if (message !== undefined) context.addIssue({ code: "custom", message });
    // Older configurations have it so.
    return Object(config).ssl_verify === "no" ? { ...Object(config), ssl_verify: false } : config;
  },
  fields.superRefine((config, context) => {
    const message = keyProblem(config);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  }),
);

/** {@link openidConnectSchema} with defaults filled in. */
export type OpenidConnectConfig = z.output<typeof fields>;
