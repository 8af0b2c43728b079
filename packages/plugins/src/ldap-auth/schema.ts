import { z } from "zod";
import { authFields, realmField } from "../shared/auth.ts";

/** Configuration of the plugin on a route, service or rule (APISIX: ldap-auth). */
export const ldapAuthSchema = z.looseObject({
  base_dn: z.string().describe("Name below which callers have their entries."),
  ldap_uri: z.string().describe("Host and port of the LDAP server; without a port 389, or 636 with `use_tls`."),
  use_tls: z.boolean().default(false).describe("Whether it is reached by TLS from the beginning (LDAPS)."),
  tls_verify: z.boolean().default(false).describe("Whether its certificate is verified then."),
  uid: z.string().default("cn").describe("Attribute that has the caller's name."),
  hide_credentials: authFields.hide_credentials,
  realm: realmField("ldap"),
});

/** {@link ldapAuthSchema} with defaults filled in. */
export type LdapAuthConfig = z.output<typeof ldapAuthSchema>;
