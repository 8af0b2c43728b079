import { createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import type { JWTPayload } from "jose";
import { jose } from "../shared/jose.ts";
import { isSharedSecret, type JwtAuthConsumer } from "./consumer-schema.ts";

/** The claims of a token that nobody has verified yet; nothing when it is no token. */
export function readClaims(token: string): JWTPayload | undefined {
  try {
    jose().decodeProtectedHeader(token);
    return jose().decodeJwt(token);
  } catch {
    return undefined;
  }
}

/** What a token is verified by, beside its signature. */
export interface Expectation {
  readonly requiredClaims: readonly string[];
  readonly now: Date;
}

/**
 * Verifies a token against the one algorithm and key of a consumer, and its times. Rejects when it does not hold, or
 * the consumer's key is of no use.
 */
export async function verifyToken(token: string, consumer: JwtAuthConsumer, expected: Expectation): Promise<void> {
  await jose().jwtVerify(token, keyOf(consumer), {
    algorithms: [consumer.algorithm],
    clockTolerance: consumer.lifetime_grace_period,
    currentDate: expected.now,
    requiredClaims: [...expected.requiredClaims],
  });
}

/** Keys are read once for each consumer of a configuration. */
const keys = new WeakMap<JwtAuthConsumer, KeyObject>();

function keyOf(consumer: JwtAuthConsumer): KeyObject {
  let key = keys.get(consumer);
  if (key === undefined) {
    key = readKey(consumer);
    keys.set(consumer, key);
  }
  return key;
}

function readKey({ algorithm, base64_secret: isBase64, public_key: publicKey, secret }: JwtAuthConsumer): KeyObject {
  if (!isSharedSecret(algorithm)) return createPublicKey(publicKey ?? "");
  return createSecretKey(Buffer.from(secret ?? "", isBase64 ? "base64" : "utf8"));
}
