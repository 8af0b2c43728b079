import { z } from "zod";

/** Configuration of the plugin (APISIX: csrf). */
export const csrfSchema = z.looseObject({
  key: z.string().describe("Secret that tokens are signed with."),
  expires: z.int().default(7200).describe("Seconds a token is valid for; 0 or less: for ever."),
  name: z.string().default("apisix-csrf-token").describe("Name of the cookie and of the header that carry the token."),
});

/** {@link csrfSchema} with defaults filled in. */
export type CsrfConfig = z.output<typeof csrfSchema>;
