import { createPrivateKey, createPublicKey, type JsonWebKey } from "node:crypto";
import { messageOf } from "@fngate/kernel";
import { compileJsonSchema } from "../request-validation/json-schema.ts";
import { isSecretReference } from "../shared/secret-reference.ts";
import type { DpopConfig } from "./key-schema.ts";

/** What the checks look at. */
interface Checked {
  readonly bearer_only: boolean;
  readonly public_key?: string | undefined;
  readonly use_jwks: boolean;
  readonly client_secret?: string | undefined;
  readonly client_rsa_private_key?: string | undefined;
  readonly client_jwt_assertion_alg?: string | undefined;
  readonly token_endpoint_auth_method: string;
  readonly introspection_endpoint?: string | undefined;
  readonly introspection_endpoint_auth_method: string;
  readonly claim_schema?: Readonly<Record<string, unknown>> | undefined;
  readonly dpop?: DpopConfig | undefined;
  readonly par?: { readonly enabled: boolean; readonly endpoint_auth_method?: string | undefined } | undefined;
}

/** Names under which APISIX's library knows what `par` and `dpop` say. */
const RESERVED: Readonly<Record<string, string>> = {
  use_par: "par.enabled",
  pushed_authorization_request_endpoint: "par.endpoint",
  pushed_authorization_request_endpoint_auth_method: "par.endpoint_auth_method",
  use_dpop: "dpop.enabled",
  dpop_signing_alg: "dpop.signing_alg",
  dpop_private_key: "dpop.private_key",
  dpop_public_jwk: "dpop.public_jwk",
};

type KeyType = Readonly<Record<string, string>>;

const DPOP_KEYS: Readonly<Record<string, KeyType>> = {
  ES256: { kty: "EC", crv: "P-256" },
  RS256: { kty: "RSA" },
  PS256: { kty: "RSA" },
};

const ASSERTION_KEYS: Readonly<Record<string, KeyType>> = {
  RS256: { kty: "RSA" },
  RS512: { kty: "RSA" },
  ES256: { kty: "EC", crv: "P-256" },
  ES512: { kty: "EC", crv: "P-521" },
};

const KEY_MEMBERS: Readonly<Record<string, readonly string[]>> = { EC: ["crv", "x", "y"], RSA: ["e", "n"] };

/** What is missing for the client to say who it is, before anything else is looked at. */
export function missingSecret(config: unknown): string | undefined {
  const get = (name: string): unknown => Reflect.get(Object(config), name);
  const isBearerOnly = get("bearer_only") === true;
  if (!isBearerOnly && get("session") === undefined) {
    return 'property "session.secret" is required when "bearer_only" is false';
  }
  const needsNone = isBearerOnly
    ? get("public_key") !== undefined ||
      get("use_jwks") === true ||
      get("introspection_endpoint_auth_method") === "private_key_jwt"
    : get("token_endpoint_auth_method") === "private_key_jwt" || get("use_pkce") === true;
  return needsNone || get("client_secret") !== undefined ? undefined : 'property "client_secret" is required';
}

/** What is wrong between fields that are sound on their own. */
export function keyProblem(config: Checked): string | undefined {
  return (
    claimSchemaProblem(config) ??
    reservedProblem(config) ??
    dpopProblem(config.dpop) ??
    assertionProblem(config) ??
    parProblem(config)
  );
}

function claimSchemaProblem({ claim_schema: schema }: Checked): string | undefined {
  if (schema === undefined) return undefined;
  try {
    compileJsonSchema(schema);
    return undefined;
  } catch (error) {
    return `check claim_schema failed: ${messageOf(error)}`;
  }
}

function reservedProblem(config: Checked): string | undefined {
  const reserved = Object.entries(RESERVED).find(([name]) => Object.hasOwn(config, name));
  return reserved && `property "${reserved[0]}" is not allowed, use "${reserved[1]}" instead`;
}

/** A proof is signed with the one key and shows the other: they have to belong together. */
function dpopProblem(dpop: DpopConfig | undefined): string | undefined {
  if (dpop?.enabled !== true || dpop.public_jwk === undefined) return undefined;
  const key = dpop.public_jwk;
  const type = String(key["kty"]);
  const members = Object.hasOwn(KEY_MEMBERS, type) ? KEY_MEMBERS[type] : undefined;
  const failed = 'property "dpop.public_jwk" validation failed:';
  if (members === undefined) return `${failed} kty "${type}" is not supported`;
  const absent = members.find((member) => typeof key[member] !== "string" || key[member] === "");
  if (absent !== undefined) {
    return key[absent] === undefined
      ? `${failed} kty "${type}" requires ${members.join(", ")}`
      : `${failed} "${absent}" must be a non-empty string`;
  }
  return (
    typeProblem(key, DPOP_KEYS[dpop.signing_alg], {
      algorithm: `"dpop.signing_alg" "${dpop.signing_alg}"`,
      key: '"dpop.public_jwk"',
    }) ?? pairProblem(dpop.private_key, key, ["kty", ...members])
  );
}

function pairProblem(pem: string | undefined, key: Readonly<Record<string, unknown>>, members: readonly string[]) {
  if (pem === undefined || isSecretReference(pem)) return undefined;
  const derived = publicKeyOf(pem, "dpop.private_key");
  if (typeof derived === "string") return derived;
  const other = members.find((member) => derived[member] !== key[member]);
  if (other === undefined) return undefined;
  return `property "dpop.public_jwk" is not the public key of "dpop.private_key": ${other} is "${derived[other]}"`;
}

/** Where a signed assertion is asked for, and which family of algorithms that takes. */
function assertionProblem(config: Checked): string | undefined {
  const { client_jwt_assertion_alg: algorithm, client_rsa_private_key: pem } = config;
  if (algorithm === undefined) return undefined;
  const named = (method: string) => assertionUses(config).find((use) => use.method === method)?.name;
  const byKey = named("private_key_jwt");
  const bySecret = named("client_secret_jwt");
  const property = 'property "client_jwt_assertion_alg"';
  if (byKey !== undefined && bySecret !== undefined) {
    return `${property} is a single algorithm, but "${byKey}" selects private_key_jwt and "${bySecret}" selects client_secret_jwt`;
  }
  const isShared = algorithm.startsWith("HS");
  if (byKey !== undefined && isShared) {
    return `${property} "${algorithm}" is symmetric and cannot be used with the private_key_jwt selected by "${byKey}"`;
  }
  if (bySecret !== undefined && !isShared) {
    return `${property} "${algorithm}" is asymmetric and cannot be used with the client_secret_jwt selected by "${bySecret}"`;
  }
  if (byKey === undefined || pem === undefined || isSecretReference(pem)) return undefined;
  const key = publicKeyOf(pem, "client_rsa_private_key");
  if (typeof key === "string") return key;
  const words = { algorithm: `"client_jwt_assertion_alg" "${algorithm}"`, key: '"client_rsa_private_key"' };
  return typeProblem(key, ASSERTION_KEYS[algorithm], words);
}

interface AssertionUse {
  readonly name: string;
  readonly method: string;
}

function assertionUses(config: Checked): readonly AssertionUse[] {
  const { bearer_only: isBearerOnly, par } = config;
  const uses: AssertionUse[] = [];
  const isAsked = isBearerOnly || config.introspection_endpoint !== undefined;
  if (config.public_key === undefined && !config.use_jwks && isAsked) {
    const method = config.introspection_endpoint_auth_method;
    uses.push({ name: "introspection_endpoint_auth_method", method });
  }
  if (isBearerOnly) return uses;
  const method = config.token_endpoint_auth_method;
  if (hasCredential(config, method)) uses.push({ name: "token_endpoint_auth_method", method });
  if (par?.enabled === true && par.endpoint_auth_method !== undefined) {
    uses.push({ name: "par.endpoint_auth_method", method: par.endpoint_auth_method });
  }
  return uses;
}

function parProblem(config: Checked): string | undefined {
  const method = config.par?.endpoint_auth_method;
  if (config.bearer_only || config.par?.enabled !== true || method === undefined) return undefined;
  if (hasCredential(config, method)) return undefined;
  const credential = method === "private_key_jwt" ? "client_rsa_private_key" : "client_secret";
  return `property "par.endpoint_auth_method" "${method}" requires "${credential}" when "par.enabled" is true`;
}

function hasCredential(config: Checked, method: string): boolean {
  if (method === "private_key_jwt") return config.client_rsa_private_key !== undefined;
  return method !== "client_secret_jwt" || config.client_secret !== undefined;
}

interface KeyWords {
  readonly algorithm: string;
  readonly key: string;
}

function typeProblem(key: Readonly<Record<string, unknown>>, expected: KeyType | undefined, words: KeyWords) {
  if (expected === undefined) return undefined;
  const needs = `property ${words.algorithm} requires`;
  const isAssertion = words.key === '"client_rsa_private_key"';
  if (key["kty"] !== expected["kty"]) return `${needs} an ${expected["kty"]} ${words.key}`;
  if (expected["crv"] === undefined || key["crv"] === expected["crv"]) return undefined;
  return isAssertion
    ? `${needs} a ${words.key} on curve "${expected["crv"]}", got "${String(key["crv"])}"`
    : `${needs} ${words.key} crv "${expected["crv"]}", got "${String(key["crv"])}"`;
}

function publicKeyOf(pem: string, field: string): Record<string, unknown> | string {
  if (/-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem)) return `property "${field}" has no private key in it`;
  try {
    const key: JsonWebKey = createPublicKey(createPrivateKey(pem)).export({ format: "jwk" });
    return { ...key };
  } catch (error) {
    return `property "${field}" is not a valid key: ${messageOf(error)}`;
  }
}
