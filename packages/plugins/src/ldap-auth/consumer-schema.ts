import { z } from "zod";

/** Configuration of the plugin in a consumer or credential. */
export const ldapAuthConsumerSchema = z.looseObject({
  user_dn: z.string().describe("Name of the caller's entry, as `UID=NAME,BASE_DN`."),
});

/** {@link ldapAuthConsumerSchema} as parsed. */
export type LdapAuthConsumer = z.output<typeof ldapAuthConsumerSchema>;
