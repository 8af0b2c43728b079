import { createPrivateKey } from "node:crypto";
import { GatewayError } from "@fngate/kernel";
import type { ClientAuth, CryptoKey, PrivateKey } from "openid-client";
import { jose } from "../shared/jose.ts";
import { clientAuthMethod } from "./key-schema.ts";
import { openidClient } from "./libraries.ts";
import type { OpenidConnectConfig } from "./schema.ts";

type Assertion = Record<string, unknown>;

/** How a client says who it is by a method, as the provider's registry names it. */
export async function clientAuthOf(config: OpenidConnectConfig, method: string): Promise<ClientAuth> {
  const client = openidClient();
  const { client_secret: secret } = config;
  if (method === "private_key_jwt") {
    const key = await assertionKey(config);
    return client.PrivateKeyJwt(key, { [client.modifyAssertion]: (_, claims) => shape(claims, config) });
  }
  if (secret === undefined) return client.None();
  if (method === "client_secret_post") return client.ClientSecretPost(secret);
  if (method !== "client_secret_jwt") return basicAuth(config.client_id, secret);
  if (config.client_jwt_assertion_alg === "HS512") {
    throw new GatewayError("PLUGIN_INVALID", "client_secret_jwt is signed with HS256 only");
  }
  return client.ClientSecretJwt(secret, { [client.modifyAssertion]: (_, claims) => shape(claims, config) });
}

/**
 * As the library's own, but for what it encodes: names with `-` or `_` in them go as they are, which providers
 * understand that decode them and those that do not.
 */
function basicAuth(id: string, secret: string): ClientAuth {
  const text = [id, secret].map((part) => encodeURIComponent(part).replaceAll("%20", "+")).join(":");
  const value = `Basic ${Buffer.from(text).toString("base64")}`;
  return (...[, , , headers]) => headers.set("authorization", value);
}

/** The configured method, or another one that the provider takes and the client can use. */
export function chooseMethod(
  config: OpenidConnectConfig,
  wanted: string,
  taken: readonly string[] | undefined,
): string {
  if (taken === undefined || taken.includes(wanted)) return wanted;
  const isUsable = (method: string) =>
    method === "private_key_jwt" ? config.client_rsa_private_key !== undefined : config.client_secret !== undefined;
  return taken.find((method) => KNOWN.includes(method) && isUsable(method)) ?? wanted;
}

const KNOWN: readonly string[] = clientAuthMethod.options;

async function assertionKey(config: OpenidConnectConfig): Promise<PrivateKey> {
  const { client_jwt_assertion_alg: algorithm = "RS256", client_rsa_private_key: pem = "" } = config;
  const key = await importPrivateKey(pem, algorithm);
  const { client_rsa_private_key_id: kid } = config;
  return kid === undefined ? { key } : { key, kid };
}

/** Reads a private key in any form of PEM, for one algorithm. */
export function importPrivateKey(pem: string, algorithm: string): Promise<CryptoKey> {
  const pkcs8 = createPrivateKey(pem).export({ type: "pkcs8", format: "pem" });
  return jose().importPKCS8(String(pkcs8), algorithm);
}

function shape(claims: Assertion, config: OpenidConnectConfig): void {
  const issuedAt = Number(claims["iat"]);
  claims["exp"] = issuedAt + config.client_jwt_assertion_expires_in;
  const { client_jwt_assertion_audience: audience } = config;
  if (audience !== undefined) claims["aud"] = audience;
}
