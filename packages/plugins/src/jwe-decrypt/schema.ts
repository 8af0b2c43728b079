import { z } from "zod";

/** Configuration of the plugin on a route, service or rule (APISIX: jwe-decrypt). */
export const jweDecryptSchema = z.looseObject({
  header: z.string().default("Authorization").describe("Field that carries the token, after `Bearer ` or alone."),
  forward_header: z.string().default("Authorization").describe("Field that carries what was in it when it goes on."),
  strict: z.boolean().default(true).describe("Whether a request without a token gets status 403."),
});

/** {@link jweDecryptSchema} with defaults filled in. */
export type JweDecryptConfig = z.output<typeof jweDecryptSchema>;
