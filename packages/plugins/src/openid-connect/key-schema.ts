import { z } from "zod";

/** Ways in which a client says who it is. */
export const clientAuthMethod = z.enum([
  "client_secret_basic",
  "client_secret_post",
  "private_key_jwt",
  "client_secret_jwt",
]);

/** Pushed authorization requests (RFC 9126). */
export const parSchema = z.strictObject({
  enabled: z.boolean().default(false).describe("Whether they are used."),
  endpoint: z.string().optional().describe("Where they are pushed to; absent: as the provider says."),
  endpoint_auth_method: clientAuthMethod.optional().describe("How the client says there who it is."),
});

/** Members that only a private key has. */
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** Tokens that are bound to a key (RFC 9449). */
export const dpopSchema = z
  .strictObject({
    enabled: z.boolean().default(false).describe("Whether they are used."),
    signing_alg: z.enum(["ES256", "RS256", "PS256"]).default("ES256").describe("Algorithm of the proofs."),
    private_key: z.string().optional().describe("Private key, PEM, that proofs are signed with."),
    public_jwk: z
      .looseObject({})
      .refine((key) => !PRIVATE_MEMBERS.some((member) => Object.hasOwn(key, member)), "matches a forbidden schema")
      .optional()
      .describe("Its public key, as JWK."),
  })
  .superRefine((config, context) => {
    if (!config.enabled || (config.private_key !== undefined && config.public_jwk !== undefined)) return;
    context.addIssue({ code: "custom", message: "then clause did not match" });
  });

/** {@link dpopSchema} with defaults filled in. */
export type DpopConfig = z.output<typeof dpopSchema>;

/** A proxy on the way to the provider. */
export const proxyOptionsSchema = z.looseObject({
  http_proxy: z.string().optional(),
  https_proxy: z.string().optional(),
  http_proxy_authorization: z.string().optional(),
  https_proxy_authorization: z.string().optional(),
  no_proxy: z.string().optional(),
});
