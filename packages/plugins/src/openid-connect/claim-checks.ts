import type { Reply } from "@fngate/plugin-kit";
import { compileJsonSchema, type JsonCheck } from "../request-validation/json-schema.ts";
import { forbidden, unauthorized } from "./refusals.ts";
import type { OpenidConnectConfig } from "./schema.ts";
import type { Session } from "./sessions.ts";
import type { Claims } from "./token-verifier.ts";
import { claimsOf } from "./tokens.ts";

/** What claims are checked by, beside their token's own validity. */
export interface ClaimChecks {
  /** Of a token that came with a request. */
  token(claims: Claims): Reply | undefined;
  session(session: Session): Reply | undefined;
}

/** Compiles the checks of a configuration. */
export function compileClaimChecks(config: OpenidConnectConfig): ClaimChecks {
  const { claim_schema: schema, realm, required_scopes: scopes } = config;
  const check = schema === undefined ? undefined : compileJsonSchema(schema);
  const bySchema = check && ((value: unknown) => problemReply(check, value, realm));
  return {
    token: (claims) => missingScopes(scopes, claims["scope"]) ?? wrongAudience(config, claims) ?? bySchema?.(claims),
    session(session) {
      const { accessToken, idToken, user } = session;
      const refusal = bySchema?.(withoutAbsent({ user, access_token: accessToken, id_token: claimsOf(idToken) }));
      if (refusal !== undefined || scopes === undefined) return refusal;
      const granted = claimsOf(accessToken)?.["scope"] ?? claimsOf(idToken)?.["scope"] ?? session.scope;
      return typeof granted === "string" ? missingScopes(scopes, granted) : forbidden("required scopes not present");
    },
  };
}

function problemReply(check: JsonCheck, value: unknown, realm: string): Reply | undefined {
  // A schema may have defaults, which are not to be claims.
  const problem = check(structuredClone(value));
  return problem === undefined ? undefined : unauthorized(realm, problem);
}

function missingScopes(required: readonly string[] | undefined, granted: unknown): Reply | undefined {
  if (required === undefined) return undefined;
  const scopes = typeof granted === "string" ? granted.split(/\s+/) : [];
  if (required.every((scope) => scopes.includes(scope))) return undefined;
  return forbidden(`required scopes ${required.join(", ")} not present`);
}

function wrongAudience({ claim_validator: validator, client_id: id }: OpenidConnectConfig, claims: Claims) {
  const { claim = "aud", match_with_client_id: isMatched = false, required = false } = validator?.audience ?? {};
  const audience = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  const isAbsent = audience === undefined || audience === null || audience === false;
  if ((required || isMatched) && isAbsent) return forbidden("required audience claim not present");
  if (!isMatched || [audience].flat().includes(id)) return undefined;
  return forbidden("mismatched audience");
}

function withoutAbsent(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}
