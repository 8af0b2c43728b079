import { jose } from "../shared/jose.ts";
import type { RelyingParty } from "./relying-party.ts";

/** Tokens of others are never verified with a shared secret: whoever can verify one could make one. */
export const KEY_PAIR_ALGORITHMS: readonly string[] = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

const SECRET_ALGORITHMS: readonly string[] = ["HS256", "HS384", "HS512"];

/** What ID tokens may be signed with: the provider gives them to the client alone, which shares a secret with it. */
export const ID_TOKEN_ALGORITHMS: readonly string[] = [...KEY_PAIR_ALGORITHMS, ...SECRET_ALGORITHMS];

/**
 * Verifies the signature of an ID token, with the client's secret or the provider's keys; the library has checked its
 * claims. Rejects when it does not hold. Source: OpenID Connect Core 1.0, 3.1.3.7.
 */
export async function verifyIdToken(token: string | undefined, { config, provider }: RelyingParty): Promise<void> {
  if (token === undefined) return;
  const library = jose();
  const { alg: algorithm = "" } = library.decodeProtectedHeader(token);
  if (!SECRET_ALGORITHMS.includes(algorithm)) {
    await library.compactVerify(token, await provider.keys(), { algorithms: [...KEY_PAIR_ALGORITHMS] });
    return;
  }
  const secret = Buffer.from(config.client_secret ?? "");
  // An empty secret is no secret.
  if (secret.length === 0) throw new Error("the ID token is signed with a secret that the client does not have");
  await library.compactVerify(token, secret, { algorithms: [...SECRET_ALGORITHMS] });
}
