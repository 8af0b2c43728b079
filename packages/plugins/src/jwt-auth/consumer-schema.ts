import { z } from "zod";
import { isSecretReference } from "../shared/secret-reference.ts";

const SHARED_SECRET = ["HS256", "HS384", "HS512"] as const;
const KEY_PAIR = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"] as const;

/** Configuration of the plugin in a consumer or credential; texts of the findings are APISIX's. */
export const jwtAuthConsumerSchema = z
  .looseObject({
    key: z.string().min(1).describe("Value of the claim that tells who calls."),
    secret: z.string().min(1).optional().describe("Secret that tokens of the HS algorithms are signed with."),
    public_key: z.string().optional().describe("Public key, PEM, of the other algorithms."),
    algorithm: z
      .enum([...SHARED_SECRET, ...KEY_PAIR])
      .default("HS256")
      .describe("The one algorithm that tokens may be signed with."),
    exp: z.int().min(1).default(86_400).describe("Lifetime in seconds for whoever makes tokens; not looked at."),
    base64_secret: z.boolean().default(false).describe("Whether `secret` is base64 of the secret's bytes."),
    lifetime_grace_period: z.int().min(0).default(0).describe("Seconds by which `exp` and `nbf` may be missed."),
  })
  .superRefine((config, context) => {
    const message = problemOf(config);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

/** {@link jwtAuthConsumerSchema} with defaults filled in. */
export type JwtAuthConsumer = z.output<typeof jwtAuthConsumerSchema>;

/** Tells whether both sides know the same secret. */
export function isSharedSecret(algorithm: string): boolean {
  return algorithm.startsWith("HS");
}

interface Parts {
  readonly algorithm: string;
  readonly base64_secret: boolean;
  readonly public_key?: string | undefined;
  readonly secret?: string | undefined;
}

function problemOf({ algorithm, base64_secret: isBase64, public_key: publicKey, secret }: Parts): string | undefined {
  if (!isSharedSecret(algorithm)) {
    if (publicKey !== undefined && publicKey !== "") return undefined;
    return 'failed to validate dependent schema for "algorithm": value should match only one schema, but matches none';
  }
  if (secret === undefined) return 'property "secret" is required when using HS based algorithms';
  if (isBase64 && !isBase64Text(secret)) return "base64_secret required but the secret is not in base64 format";
  return undefined;
}

/** A reference (`$env://NAME`) counts as base64 until it is resolved. */
function isBase64Text(text: string): boolean {
  return isSecretReference(text) || /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}
