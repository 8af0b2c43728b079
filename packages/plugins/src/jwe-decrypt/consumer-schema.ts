import { z } from "zod";
import { isSecretReference } from "../shared/secret-reference.ts";

/** Bytes of a key of A256GCM. */
const KEY_BYTES = 32;

/** Configuration of the plugin in a consumer or credential; texts of the findings are APISIX's. */
export const jweDecryptConsumerSchema = z
  .looseObject({
    key: z.string().describe("Name that tokens have for the secret, in `kid`."),
    secret: z.string().describe("Secret that tokens are encrypted with: 32 bytes."),
    is_base64_encoded: z.boolean().optional().describe("Whether `secret` is base64url of the secret's bytes."),
  })
  .superRefine((config, context) => {
    // How long a secret is that is elsewhere is not known yet.
    if (isSecretReference(config.secret) || secretOf(config).length === KEY_BYTES) return;
    const where = config.is_base64_encoded === true ? " after base64 decode" : "";
    context.addIssue({ code: "custom", message: `the secret length${where} should be 32 chars` });
  });

/** {@link jweDecryptConsumerSchema} as parsed. */
export type JweDecryptConsumer = z.output<typeof jweDecryptConsumerSchema>;

/** The bytes of a consumer's secret. */
export function secretOf({ is_base64_encoded: isBase64, secret }: JweDecryptConsumer): Buffer {
  return Buffer.from(secret, isBase64 === true ? "base64url" : "utf8");
}
